package bench

import (
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"
)

// pace measures how much time of a processor one call of f takes when so many
// call it for the given time. The time is what the system charges this
// process, so that it does not matter much what else the machine does.
func pace(t testing.TB, callers int, enough time.Duration, f func() error) time.Duration {
	t.Helper()
	var calls atomic.Int64
	took := paceOf(t, callers, enough, func() error {
		calls.Add(1)
		return f()
	})
	return took / time.Duration(max(calls.Load(), 1))
}

// paceOf lets so many callers call f for the given time and gives the time of
// processors that this took.
func paceOf(t testing.TB, callers int, enough time.Duration, f func() error) time.Duration {
	t.Helper()
	var wait sync.WaitGroup
	begin, before := time.Now(), processorTime(t)
	for range callers {
		wait.Go(func() {
			for time.Since(begin) < enough {
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wait.Wait()
	return processorTime(t) - before
}

// processorTime is how long this process has used processors so far.
func processorTime(t testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// median is the middle one; it sorts the list.
func median[T int | time.Duration | float64](list []T) T {
	if len(list) == 0 {
		return 0
	}
	slices.Sort(list)
	return list[len(list)/2]
}

// ratios is the median of a[i]/b[i], which were measured side by side.
func ratios(a, b []time.Duration) float64 {
	var list []float64
	for i := range a {
		list = append(list, float64(a[i])/float64(b[i]))
	}
	return median(list)
}

// ownMemory is the memory that this process has for itself, in KiB, when
// garbage is gone: that of files and of pages shared with them does not count.
func ownMemory(t testing.TB) int {
	t.Helper()
	debug.FreeOSMemory()
	p, err := procfs.Self()
	if err != nil {
		t.Fatalf("how much memory this process has is read from Linux: %v", err)
	}
	report, err := p.NewStatus()
	if err != nil {
		t.Fatal(err)
	}
	return int(report.RssAnon >> 10)
}
