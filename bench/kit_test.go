package bench

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/handlertest"
)

// kit builds the benchmarks' handler once.
var kit = &handlertest.Kit{Modules: func(ctx context.Context) ([][]byte, error) {
	guest, err := handlertest.Build(ctx, "guest")
	return [][]byte{guest}, err
}}

// TestMain removes what kit has made.
func TestMain(m *testing.M) { os.Exit(kit.Run(m)) }

// guest gives the handler, and the directory with its compiled code.
func guest(t testing.TB) (wasm []byte, cache string) {
	t.Helper()
	modules, cache, err := kit.Ready()
	if err != nil {
		t.Fatal(err)
	}
	return modules[0], cache
}

// load makes an engine with one handler; both end with the test.
func load(t testing.TB, wasm []byte, o engine.Options) *engine.Handler {
	t.Helper()
	if o.Sandboxes == 0 {
		o.Sandboxes = 64
	}
	e, err := engine.New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	h, err := e.Load(context.Background(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// route answers a handler's questions: the pattern that matched, and nothing
// else.
type route struct {
	pattern string
	arrived func() // called when the handler asks, if set
}

// Call implements engine.Calls.
func (r route) Call(_ context.Context, op abi.Op, _ []byte) (abi.Status, []byte) {
	if op != abi.OpRoute {
		return abi.StatusUnknown, nil
	}
	if r.arrived != nil {
		r.arrived()
	}
	var w abi.Writer
	return abi.StatusOK, w.String(r.pattern).Fields(nil)
}

// ask lets a handler answer one request.
func ask(h *engine.Handler, r route) ([]byte, error) {
	_, uri, _ := strings.Cut(r.pattern, " ")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	x := engine.Exchange{Request: engine.Request{Method: "GET", URI: uri, Proto: "HTTP/1.1"}, Calls: r}
	err := h.Serve(ctx, &x)
	return x.Response.Body, err
}
