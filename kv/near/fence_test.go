package near_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// inGroup runs a test with several members over one store.
func inGroup(t *testing.T, n int, test func(t *testing.T, m []*near.Store, b []*below)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &shared{Store: memory.New()}
		var m []*near.Store
		var b []*below
		for i := range n {
			b = append(b, newBelow(store))
			m = append(m, near.New(b[i], quiet()))
		}
		synctest.Wait()
		test(t, m, b)
		for i := range n {
			b[i].heal()
			if err := m[i].Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if err := store.Store.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// shared is a store that several members have, so that none can close it.
type shared struct{ kv.Store }

// Close implements kv.Store.
func (*shared) Close() error { return nil }

// fence runs Fence, and returns how long it took.
func fence(tb testing.TB, s *near.Store, rev kv.Revision) time.Duration {
	tb.Helper()
	begun := time.Now()
	if err := s.Fence(context.Background(), rev); err != nil {
		tb.Errorf("Fence(%d): %v", rev, err)
	}
	return time.Since(begun)
}

// TestFenceAlone sees that a fence without other members writes nothing and
// takes no time.
func TestFenceAlone(t *testing.T) {
	inGroup(t, 1, func(t *testing.T, m []*near.Store, b []*below) {
		before := b[0].written()
		if took := fence(t, m[0], put(t, m[0], "k", "1")); took != 0 || b[0].written() != before {
			t.Errorf("it took %v and wrote %d heartbeats", took, b[0].written()-before)
		}
		if took := fence(t, m[0], 0); took != 0 {
			t.Errorf("of no revision: it took %v", took)
		}
		// A revision that the feed does not bring, such as one whose value
		// expired at once, comes with a heartbeat.
		if took := fence(t, m[0], put(t, m[0], "k", "2")+1); took > 10*time.Millisecond {
			t.Errorf("beyond the feed: it took %v", took)
		}
	})
}

// TestFenceWaitsForAll delays the feeds of two members: when the fence returns,
// neither answers with the old.
func TestFenceWaitsForAll(t *testing.T) {
	inGroup(t, 3, func(t *testing.T, m []*near.Store, b []*below) {
		put(t, m[0], "k", "old")
		for i := range m {
			wants(t, m[i], "k", "old")
		}
		synctest.Wait()
		for i, d := range []time.Duration{0, 30 * time.Millisecond, 80 * time.Millisecond} {
			b[i].set(func(b *below) { b.delay = func() time.Duration { return d } })
		}
		rev := put(t, m[0], "k", "new")
		wants(t, m[1], "k", "old")
		wants(t, m[2], "k", "old")
		took := fence(t, m[0], rev)
		for i := range m {
			wants(t, m[i], "k", "new")
		}
		if took < 80*time.Millisecond || took > 400*time.Millisecond {
			t.Errorf("it took %v, want little more than the slowest feed's 80 ms", took)
		}
	})
}

// TestFenceAndTheFrozen stops a member: the fence waits until its lease is out.
func TestFenceAndTheFrozen(t *testing.T) {
	inGroup(t, 2, func(t *testing.T, m []*near.Store, b []*below) {
		put(t, m[0], "k", "old")
		wants(t, m[1], "k", "old")
		synctest.Wait()
		b[1].freeze()
		rev := put(t, m[0], "k", "new")
		wants(t, m[1], "k", "old") // its lease holds
		took := fence(t, m[0], rev)
		if took > near.Lease+near.Lease/20 {
			t.Errorf("it took %v, want no more than a Lease", took)
		}
		if _, err := m[1].Get(t.Context(), "k"); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("the frozen member: %v, want ErrUnavailable", err)
		}
		// Now that it was silent for a Lease, nobody waits for it.
		if took := fence(t, m[0], put(t, m[0], "k", "newer")); took != 0 {
			t.Errorf("the next fence took %v", took)
		}
		b[1].heal()
		wants(t, m[1], "k", "newer")
	})
}

// TestFenceOfTheCutOff runs it in a process whose own feed stands still: it
// returns when every lease of before is out.
func TestFenceOfTheCutOff(t *testing.T) {
	inGroup(t, 2, func(t *testing.T, m []*near.Store, b []*below) {
		rev := put(t, m[0], "k", "new")
		b[0].freeze()
		if took := fence(t, m[0], rev+1); took != near.Lease+near.Lease/40 {
			t.Errorf("it took %v", took)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m[0].Fence(ctx, rev+2); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a shorter deadline: %v", err)
		}
	})
}

// TestFenceKnowsWhoWasThere begins a member when another has stopped: it must
// wait for that one though it never heard from it by its feed.
func TestFenceKnowsWhoWasThere(t *testing.T) {
	inGroup(t, 2, func(t *testing.T, m []*near.Store, b []*below) {
		put(t, m[0], "k", "old")
		wants(t, m[1], "k", "old")
		synctest.Wait()
		b[1].freeze()
		late := near.New(newBelow(b[0].Store), quiet())
		synctest.Wait()
		rev := put(t, late, "k", "new")
		wants(t, m[1], "k", "old")
		if took := fence(t, late, rev); took < near.Lease/2 {
			t.Errorf("it took %v: it did not wait for a member that still answers", took)
		}
		if _, err := m[1].Get(t.Context(), "k"); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("the stopped member: %v, want ErrUnavailable", err)
		}
		if err := late.Close(); err != nil {
			t.Error(err)
		}
		// It took leave, so nobody waits for it.
		b[1].heal()
		synctest.Wait()
		if took := fence(t, m[0], put(t, m[0], "k", "newer")); took != 0 {
			t.Errorf("after the leave it took %v", took)
		}
	})
}

// TestManyFences runs many at once: their heartbeats are shared.
func TestManyFences(t *testing.T) {
	inGroup(t, 3, func(t *testing.T, m []*near.Store, b []*below) {
		for i := range m {
			wants(t, m[i], "k", "")
			b[i].set(func(b *below) { b.delay = func() time.Duration { return time.Millisecond } })
		}
		before := b[0].written() + b[1].written() + b[2].written()
		var wg sync.WaitGroup
		for i := range 60 {
			wg.Go(func() {
				key := fmt.Sprint("k/", i)
				rev := put(t, m[i%3], key, "v")
				fence(t, m[i%3], rev)
				for j := range m {
					wants(t, m[j], key, "v")
				}
			})
		}
		wg.Wait()
		if n := b[0].written() + b[1].written() + b[2].written() - before; n > 60 {
			t.Errorf("%d heartbeats for 60 fences at once", n)
		}
	})
}
