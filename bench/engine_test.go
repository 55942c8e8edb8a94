package bench

import (
	"bytes"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/bench/items"
	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// slice is how long each mode is measured in its turn. One caller asks at a
// time, since two on one core with two threads would measure the core.
const slice = 25 * time.Millisecond

// rounds is how many turns each mode has in a round of the benchmark; the
// medians of fewer are not of much use on a machine that is shared.
const rounds = 25

// rendered is the templ page of sixty items.
var rendered = route{pattern: "GET /items"}

// TestPages makes sure that the modes make the same page, so that the
// benchmarks compare like with like.
func TestPages(t *testing.T) {
	t.Parallel()
	wasm, cache := guest(t)
	var want bytes.Buffer
	if err := items.Page("Every course", items.All()).Render(t.Context(), &want); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(want.Bytes(), []byte(`class="card"`)); n != items.Count || len(items.Ready) != items.ReadySize {
		t.Fatalf("the page has %d items, the ready one %d bytes", n, len(items.Ready))
	}
	for _, mode := range []engine.Isolation{engine.Pristine, engine.Unmetered, engine.Reused, engine.Fresh} {
		h := load(t, wasm, engine.Options{CacheDir: cache, Isolation: mode})
		for range 3 {
			for r, want := range map[string][]byte{"GET /items": want.Bytes(), "GET /page": items.Ready} {
				if got, err := ask(h, route{pattern: r}); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %s gives %d bytes, want %d; %v", mode, r, len(got), len(want), err)
				}
			}
		}
	}
}

// BenchmarkEngine measures what it costs that each request starts in a
// pristine sandbox, for a templ page of 60 items in standard Go. It reports
//
//	pristine/reused  throughput against dirty instances without any checks
//	pristine/new     throughput against a new instance for each request
//	fuel-cost-%      what the checks of fuel add to the time of a request
//	reset5-us        restoring a sandbox that wrote 5 pages of 4 KiB; reset40-us: 40
//	clone-us         making one more sandbox
//	idle-KiB         memory of its own that an idle sandbox has after a request
//	idle-new-KiB     the same of a plain instance
func BenchmarkEngine(b *testing.B) {
	wasm, cache := guest(b)
	modes := []engine.Isolation{engine.Pristine, engine.Unmetered, engine.Reused, engine.Fresh}
	handlers, paces := map[engine.Isolation]*engine.Handler{}, map[engine.Isolation][]time.Duration{}
	for _, mode := range modes {
		handlers[mode] = load(b, wasm, engine.Options{CacheDir: cache, Isolation: mode})
	}
	var size atomic.Int64
	for b.Loop() {
		for i := range rounds * len(modes) {
			mode := modes[i%len(modes)]
			paces[mode] = append(paces[mode], pace(b, 1, slice, func() error {
				body, err := ask(handlers[mode], rendered)
				size.Store(int64(len(body)))
				return err
			}))
		}
	}
	b.ReportMetric(ratios(paces[engine.Reused], paces[engine.Pristine]), "pristine/reused")
	b.ReportMetric(ratios(paces[engine.Fresh], paces[engine.Pristine]), "pristine/new")
	b.ReportMetric(100*(ratios(paces[engine.Pristine], paces[engine.Unmetered])-1), "fuel-cost-%")
	b.ReportMetric(float64(median(paces[engine.Pristine]).Nanoseconds())/1e3, "page-us")
	b.ReportMetric(float64(median(paces[engine.Fresh]).Nanoseconds())/1e3, "new-us")
	b.ReportMetric(float64(size.Load()), "page-B")
	for _, pages := range []int{5, 40} {
		name := map[int]string{5: "reset5-us", 40: "reset40-us"}[pages]
		b.ReportMetric(float64(resetTime(b, pages).Nanoseconds())/1000, name)
	}
	b.ReportMetric(float64(cloneTime(b, wasm, cache).Microseconds()), "clone-us")
	own, plain := idleMemory(b, wasm, cache, engine.Pristine), idleMemory(b, wasm, cache, engine.Reused)
	b.ReportMetric(own, "idle-KiB")
	b.ReportMetric(plain, "idle-new-KiB")
	b.ReportMetric(plain/own, "new/idle")
}

// stopwatch keeps the engine's measurements.
type stopwatch struct {
	mu                sync.Mutex
	started, restored []time.Duration
	bytes             int
}

// Handler implements engine.Observer.
func (w *stopwatch) Handler(string) engine.Meter { return w }

// Served implements engine.Meter.
func (w *stopwatch) Served(time.Duration, string) {}

// Started implements engine.Meter.
func (w *stopwatch) Started(took time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started = append(w.started, took)
}

// Restored implements engine.Meter.
func (w *stopwatch) Restored(took time.Duration, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.restored, w.bytes = append(w.restored, took), bytes
}

// Ended implements engine.Meter.
func (w *stopwatch) Ended(string) {}

// resetTime is the time to restore a sandbox of 6.5 MB that wrote so many
// pages, which lie apart.
func resetTime(b *testing.B, pages int) time.Duration {
	b.Helper()
	var m Module
	var code [][]byte
	for i := range pages {
		code = append(code, I32(int32(i*12*1024)), I32(1), Op(I32Store, 2, 0))
	}
	m.Memory(100, 100)
	m.Data(0, "an image")
	m.Export("handle_request", KindFunction, m.Func("", "l", "", append(code, I64(0))...))
	m.Export("handle_response", KindFunction, m.Func("ii", "", ""))
	m.Custom(abi.ManifestSection, []byte(`{"abi":1,"name":"writer","routes":[{"pattern":"GET /"}]}`))
	watch := &stopwatch{}
	h := load(b, m.Bytes(), engine.Options{Sandboxes: 1, Observer: watch})
	for range 2000 {
		if _, err := ask(h, route{pattern: "GET /"}); err != nil {
			b.Fatal(err)
		}
	}
	if watch.bytes != pages*4096 {
		b.Fatalf("%d bytes were restored, want %d pages", watch.bytes, pages)
	}
	return median(watch.restored)
}

// cloneTime is the time to make one more sandbox of a handler.
func cloneTime(b *testing.B, wasm []byte, cache string) time.Duration {
	b.Helper()
	watch := &stopwatch{}
	load(b, wasm, engine.Options{CacheDir: cache, Spares: 50, Observer: watch})
	return median(watch.started)
}

// idleMemory is the memory of its own that a sandbox has after a request, in
// KiB, as the process's memory grows with many of them.
func idleMemory(b *testing.B, wasm []byte, cache string, mode engine.Isolation) float64 {
	b.Helper()
	h := load(b, wasm, engine.Options{CacheDir: cache, Isolation: mode, Sandboxes: 1000})
	crowd(b, h, 20)
	few := ownMemory(b)
	const more = 100
	crowd(b, h, 20+more)
	many := ownMemory(b)
	if u := h.Usage(); u.Idle != 20+more {
		b.Fatalf("there are %d idle sandboxes, want %d", u.Idle, 20+more)
	}
	return float64(many-few) / more
}

// crowd lets so many sandboxes work at once: none answers before all have
// begun.
func crowd(t testing.TB, h *engine.Handler, n int) {
	t.Helper()
	var begun, all sync.WaitGroup
	begun.Add(n)
	for range n {
		all.Go(func() {
			r := rendered
			r.arrived = func() {
				begun.Done()
				begun.Wait()
			}
			if body, err := ask(h, r); err != nil || len(body) == 0 {
				t.Errorf("%d bytes, %v", len(body), err)
			}
		})
	}
	all.Wait()
}
