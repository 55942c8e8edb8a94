package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

const (
	// startTimeout bounds the start of a sandbox: the Go runtime takes about
	// 4 ms, a loaded machine may take a hundred times that.
	startTimeout = 10 * time.Second
	// maxSleep is the longest that a guest can hold the host in one sleep, so
	// that it notices its deadline.
	maxSleep = time.Millisecond
	// maxOutput is how much of a guest's standard output and error is kept.
	maxOutput = 32 << 10
)

// sandbox is one instance of a handler. It serves one request.
type sandbox struct {
	module   api.Module
	request  api.Function
	response api.Function
	output   *output
}

// newSandbox instantiates a compiled handler and runs its start-up. The
// context of a request plays no part: a reader who goes away must not stop
// the making of a sandbox half-way.
func newSandbox(runtime wazero.Runtime, compiled wazero.CompiledModule) (*sandbox, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	ctx = context.WithValue(ctx, callKey{}, &call{x: &Exchange{}, limits: DefaultLimits, log: func(int32, string) {}})
	s := &sandbox{output: &output{}}
	config := wazero.NewModuleConfig().
		WithName("").
		WithStartFunctions().
		WithStdout(s.output).
		WithStderr(s.output).
		WithRandSource(rand.Reader).
		WithSysWalltime().
		WithSysNanotime().
		WithNanosleep(func(ns int64) { time.Sleep(min(time.Duration(ns), maxSleep)) })
	module, err := runtime.InstantiateModule(ctx, compiled, config)
	if err != nil {
		return nil, fmt.Errorf("a sandbox cannot be made: %w", err)
	}
	s.module = module
	for _, name := range []string{exportInitialize, "_start"} {
		start := module.ExportedFunction(name)
		if start == nil {
			continue
		}
		if _, err := start.Call(ctx); err != nil {
			s.close()
			return nil, fmt.Errorf("its start-up (%s) failed: %w\n%s", name, err, s.output)
		}
		break
	}
	s.request = module.ExportedFunction(exportHandleReq)
	s.response = module.ExportedFunction(exportHandleResp)
	return s, nil
}

func (s *sandbox) close() { _ = s.module.Close(context.Background()) }

// output keeps the beginning of what a guest prints: a Go panic begins with
// its message and the stack of the goroutine that panicked.
type output struct{ text []byte }

// Write keeps what fits and takes the rest as written, so that a guest which
// prints without end is not told so.
func (o *output) Write(p []byte) (int, error) {
	o.text = append(o.text, p[:min(len(p), maxOutput-len(o.text))]...)
	return len(p), nil
}

// String is what was kept.
func (o *output) String() string { return string(o.text) }
