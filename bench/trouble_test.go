package bench

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/engine"
)

// BenchmarkTraps measures what it costs the others that every tenth request
// traps: the time of ten requests for the page of 60 items, over that of nine
// and one that traps. At 1 a trap costs no more than the page that it did not
// make; trap-us is what a trap costs by itself.
func BenchmarkTraps(b *testing.B) {
	wasm, cache := guest(b)
	h := load(b, wasm, engine.Options{CacheDir: cache})
	batch := func(traps int) func() error {
		return func() error {
			for i := range 10 {
				r := rendered
				if i < traps {
					r = route{pattern: "GET /trap"}
				}
				_, err := ask(h, r)
				var failure *engine.Failure
				if trapped := errors.As(err, &failure); trapped != (i < traps) {
					return errors.Join(errors.New("another end than was asked for"), err)
				}
			}
			return nil
		}
	}
	var sound, mixed, traps []time.Duration
	for b.Loop() {
		sound = append(sound, pace(b, 1, 100*time.Millisecond, batch(0)))
		mixed = append(mixed, pace(b, 1, 100*time.Millisecond, batch(1)))
		traps = append(traps, pace(b, 1, 20*time.Millisecond, batch(10)))
	}
	b.ReportMetric(ratios(sound, mixed), "trapped/sound")
	b.ReportMetric(float64(median(traps).Microseconds())/10, "trap-us")
	b.ReportMetric(float64(median(sound).Microseconds())/10, "page-us")
}

// BenchmarkOverload measures the pages that are made in time while so many
// requests come at once as there are sandboxes, and four times as many, each
// with 250 ms. It reports
//
//	overload/peak  pages made in time by a second of a processor, over those at capacity
//	refused-%      requests that were told at once, or in the end, that there is no place
//	late           requests that came to nothing but were neither served nor refused: must be 0
func BenchmarkOverload(b *testing.B) {
	wasm, cache := guest(b)
	const sandboxes = 8
	h := load(b, wasm, engine.Options{CacheDir: cache, Sandboxes: sandboxes})
	var refused, late, all atomic.Int64
	rate := func(callers int) float64 {
		var served atomic.Int64
		each := paceOf(b, callers, 300*time.Millisecond, func() error {
			all.Add(1)
			ctx, cancel := context.WithTimeout(context.Background(), 250*time.Millisecond)
			defer cancel()
			x := engine.Exchange{Request: engine.Request{Method: "GET", URI: "/items"}, Calls: rendered}
			switch err := h.Serve(ctx, &x); {
			case err == nil:
				served.Add(1)
			case errors.Is(err, engine.ErrBusy):
				refused.Add(1)
			default:
				late.Add(1)
			}
			return nil
		})
		return float64(served.Load()) / each.Seconds()
	}
	var shares []float64
	for b.Loop() {
		peak := rate(sandboxes)
		shares = append(shares, rate(4*sandboxes)/peak)
	}
	b.ReportMetric(median(shares), "overload/peak")
	b.ReportMetric(100*float64(refused.Load())/float64(all.Load()), "refused-%")
	b.ReportMetric(float64(late.Load()), "late")
	if u := h.Usage(); u.InUse+u.Idle > sandboxes {
		b.Errorf("there are %d sandboxes, want %d at most", u.InUse+u.Idle, sandboxes)
	}
}
