package engine

import (
	"context"
	"crypto/rand"
	"runtime"
	"time"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero/api"
)

// A guest is stopped by a panic in a host function, which unwinds it. So each
// way in which it can spend time leads through a host function that looks at
// the clock: yield when its fuel is used up, sleep, and each function whose
// work the guest chooses the amount of.

// outOfTime is the fault of a guest that reached its deadline.
const outOfTime = Fault("it did not answer before its deadline")

// abandoned is the fault of a guest whose reader went away.
const abandoned = Fault("its reader went away")

const (
	// fuelShare is how much fuel a guest gets at once, which bounds how long it
	// can hold up Go's garbage collector: 0.1 ms of a tight loop or of a page,
	// 10 ms of nothing but divisions. A yield takes nearly 1 µs, with what the
	// processor forgets meanwhile. See package rewrite for what a unit is.
	fuelShare = 100_000
	// firstShare is what a guest gets when it begins, so that most pages end
	// without a yield: once in a request it can hold up the collector three
	// times as long.
	firstShare = 3 * fuelShare
	// fairShare is how many fuelShares a request may use up before it lets
	// others go first each time: pages are done by then, some 3 ms, and a guest
	// that spins would hold a processor for Go's time slice of 10 ms.
	fairShare = 30
	// callsPerCheck is how many functions of http_handler a guest may call
	// before the clock is looked at: those with a thousand headers to sort
	// take 0.1 ms.
	callsPerCheck = 16
	// randomAtOnce is how many random bytes a guest gets before the clock is
	// looked at: 0.1 ms.
	randomAtOnce = 32 << 10
)

// checkTime stops the guest if its time is up.
func (c *call) checkTime() {
	if c.hasDeadline && !time.Now().Before(c.deadline) {
		panic(outOfTime)
	}
	if c.Err() != nil {
		// The timer of the context can be a little ahead of the clock.
		if c.hasDeadline && time.Until(c.deadline) < time.Millisecond {
			panic(outOfTime)
		}
		panic(abandoned)
	}
}

// yield is what the guest calls when its fuel is used up.
func yield(ctx context.Context, _ api.Module, _ []uint64) {
	c := callOf(ctx)
	c.checkTime()
	if c.yields++; c.yields > fairShare {
		runtime.Gosched()
	}
	c.sandbox.fuel.Set(fuelShare)
}

// exportFuel provides the function that the rewritten modules import.
func (e *Engine) exportFuel(ctx context.Context) error {
	_, err := e.runtime.NewHostModuleBuilder(rewrite.YieldModule).
		NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(yield), nil, nil).
		Export(rewrite.YieldFunction).Instantiate(ctx)
	return err
}

// sleep lets the guest sleep until its time is up. An instance only runs in
// invoke, so there is a call.
func (s *sandbox) sleep(ns int64) {
	s.call.checkTime()
	timer := time.NewTimer(time.Duration(ns))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.call.Done():
		s.call.checkTime()
	}
}

// epoch is what the guests' monotonic clock counts from.
var epoch = time.Now()

// nanotime is the guest's monotonic clock. A guest that waits for a time to
// come asks it again and again.
func (s *sandbox) nanotime() int64 {
	now := time.Now()
	if s.call.hasDeadline && !now.Before(s.call.deadline) {
		panic(outOfTime)
	}
	return int64(now.Sub(epoch))
}

// Read fills p for a guest with random bytes, a little at a time. The sandbox
// is its own source of randomness because of the clock.
func (s *sandbox) Read(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		s.call.checkTime()
		n := min(len(rest), randomAtOnce)
		if _, err := rand.Read(rest[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(p), nil
}
