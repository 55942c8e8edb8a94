package engine

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// TestKit is what TestMain provides: the modules of testdata/probe and of the
// largest of the site's own handlers, and a directory with their compiled code.
var TestKit func() (modules [][]byte, cacheDir string, err error)

// modules gives what TestKit has.
func modules(t testing.TB) (probe, site []byte, cacheDir string) {
	t.Helper()
	list, dir, err := TestKit()
	if err != nil {
		t.Fatal(err)
	}
	return list[0], list[1], dir
}

const (
	// sharedSandboxes is how many of them the shared probe has.
	sharedSandboxes = 64
	// generous is more than what takes milliseconds could ever take.
	generous = 10 * time.Second
	// plenty is the deadline of requests that take milliseconds.
	plenty = time.Minute
	// someManifest is that of modules made by hand.
	someManifest = `{"abi":1,"name":"small","routes":[{"pattern":"GET /"}],"config":"some settings"}`
)

// The engine and the probe that most tests use together.
var (
	sharedOnce   sync.Once
	sharedEngine *Engine
	sharedProbe  *Handler
	errShared    error
)

// shared gives the engine and the probe that most tests use together.
func shared(t testing.TB) (*Engine, *Handler) {
	t.Helper()
	probe, _, dir := modules(t)
	sharedOnce.Do(func() {
		ctx := context.Background()
		if sharedEngine, errShared = New(ctx, Options{CacheDir: dir, Sandboxes: sharedSandboxes, Spares: 1}); errShared == nil {
			sharedProbe, errShared = sharedEngine.Load(ctx, probe)
		}
	})
	if errShared != nil {
		t.Fatal(errShared)
	}
	return sharedEngine, sharedProbe
}

// newEngine makes an engine of the test's own.
func newEngine(t testing.TB, change func(*Options)) *Engine {
	t.Helper()
	_, _, dir := modules(t)
	o := Options{CacheDir: dir, Sandboxes: 2, Spares: 1}
	if change != nil {
		change(&o)
	}
	e, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return e
}

// newProbe makes a probe with an engine of its own.
func newProbe(t testing.TB, change func(*Options)) *Handler {
	t.Helper()
	probe, _, _ := modules(t)
	return load(t, newEngine(t, change), probe)
}

// load is Load where it must succeed.
func load(t testing.TB, e *Engine, wasm []byte) *Handler {
	t.Helper()
	h, err := e.Load(context.Background(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// answers is Calls by a function.
type answers func(op abi.Op, message []byte) (abi.Status, []byte)

func (a answers) Call(_ context.Context, op abi.Op, message []byte) (abi.Status, []byte) {
	return a(op, message)
}

// echo answers every call with its message.
var echo = answers(func(_ abi.Op, message []byte) (abi.Status, []byte) {
	return abi.StatusOK, []byte(strings.Clone(string(message)))
})

// ask sends a command to the probe and gives its answer.
func ask(ctx context.Context, h *Handler, uri string) (string, error) {
	x := &Exchange{Request: Request{Method: "GET", URI: uri, Proto: "HTTP/1.1", Body: []byte("a body")}, Calls: echo}
	err := h.Serve(ctx, x)
	return string(x.Response.Body), err
}

// mustAsk is ask where it must succeed, with time to spare.
func mustAsk(t testing.TB, h *Handler, uri string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), plenty)
	defer cancel()
	answer, err := ask(ctx, h, uri)
	if err != nil {
		t.Fatalf("%s: %v", uri, err)
	}
	return answer
}

// logTo gives a logger and what it has written.
func logTo() (*slog.Logger, func() string) {
	var mu sync.Mutex
	var b strings.Builder
	w := writerFunc(func(p []byte) (int, error) {
		mu.Lock()
		defer mu.Unlock()
		return b.Write(p)
	})
	return slog.New(slog.NewTextHandler(w, nil)), func() string {
		mu.Lock()
		defer mu.Unlock()
		return b.String()
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

var _ io.Writer = writerFunc(nil)

// tally is an Observer that counts, of all handlers together.
type tally struct {
	mu              sync.Mutex
	started         int
	restored, bytes int
	failures, ended map[string]int
}

// Handler implements Observer.
func (o *tally) Handler(string) Meter { return o }

func (o *tally) Served(_ time.Duration, failure string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failures == nil {
		o.failures = map[string]int{}
	}
	o.failures[failure]++
}

func (o *tally) Started(time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started++
}

func (o *tally) Restored(_ time.Duration, bytes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.restored++
	o.bytes += bytes
}

func (o *tally) Ended(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.ended == nil {
		o.ended = map[string]int{}
	}
	o.ended[reason]++
}

func (o *tally) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return fmt.Sprint(o.started, o.failures)
}

// idle gives the sandbox that the next request gets.
func idle(h *Handler) (last *sandbox) {
	h.lane.EachIdle(func(s *sandbox) { last = s })
	return last
}
