package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero/api"
)

const (
	// maxSleep is the longest that a guest can hold the host in one sleep, so
	// that it notices its deadline.
	maxSleep = time.Millisecond
	// maxOutput is how much of a guest's standard output and error is kept.
	maxOutput = 32 << 10
	// fuelShare is how many function calls and turns of loops a guest makes
	// before it comes back to the host: some 0.2 ms in a tight loop, which
	// bounds how long it can hold up Go's garbage collector.
	fuelShare = 40_000
)

// sandbox is one instance of a handler on its image. It serves one request at
// a time, each in the state of the image.
type sandbox struct {
	module            api.Module
	image             *image
	memory            *memory
	globals           []api.MutableGlobal
	fuel              api.MutableGlobal
	request, response api.Function
	output            *output
	// current is the call that is under way, for the clock of sleeps.
	current *call
}

// invoke calls a guest function with fuel, under a deadline.
func (s *sandbox) invoke(ctx context.Context, c *call, f api.Function, params ...uint64) ([]uint64, error) {
	c.sandbox, c.done = s, ctx.Done()
	c.deadline, c.hasDeadline = ctx.Deadline()
	s.current = c
	defer func() { s.current = nil }()
	s.fuel.Set(fuelShare)
	return f.Call(context.WithValue(context.WithoutCancel(ctx), callKey{}, c), params...)
}

// outOfTime is the fault of a guest that reached its deadline.
const outOfTime = Fault("it did not answer before its deadline")

// abandoned is the fault of a guest whose reader went away.
const abandoned = Fault("its reader went away")

// checkTime stops the guest if its time is up. It is called from host
// functions, where a panic unwinds the guest.
func (c *call) checkTime() {
	if c.hasDeadline && time.Now().After(c.deadline) {
		panic(outOfTime)
	}
	select {
	case <-c.done:
		panic(abandoned)
	default:
	}
}

// yield is what the guest calls when its fuel is used up.
func yield(ctx context.Context, _ api.Module, _ []uint64) {
	c := callOf(ctx)
	c.checkTime()
	c.sandbox.fuel.Set(fuelShare)
}

// exportFuel provides the function that the rewritten modules import.
func (e *Engine) exportFuel(ctx context.Context) error {
	_, err := e.runtime.NewHostModuleBuilder(rewrite.YieldModule).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(yield), nil, nil).
		Export(rewrite.YieldFunction).Instantiate(ctx)
	return err
}

// sleep is the guest's clock for sleeping, which stops it at its deadline.
func (s *sandbox) sleep(ns int64) {
	if s.current != nil {
		s.current.checkTime()
	}
	time.Sleep(min(time.Duration(ns), maxSleep))
}

// reset brings the sandbox back to its image. If it fails, the sandbox must
// not be used again.
func (s *sandbox) reset() error {
	if _, err := s.memory.space.restore(s.memory.length); err != nil {
		return err
	}
	if size := len(s.image.content); s.memory.length != size {
		s.memory.shrinkTo = size
		if _, ok := s.module.Memory().Grow(1); !ok {
			return fmt.Errorf("engine: a memory of %d bytes cannot shrink to its image", s.memory.length)
		}
	}
	s.restoreGlobals()
	s.output.text = s.output.text[:0]
	return nil
}

func (s *sandbox) restoreGlobals() {
	for i, g := range s.globals {
		g.Set(s.image.globals[i])
	}
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
