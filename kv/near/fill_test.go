package near_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

// TestMissesAskOnce sees that readers of one key share one question.
func TestMissesAskOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "1")
		synctest.Wait()
		b.set(func(b *below) { b.late = func(string) { time.Sleep(50 * time.Millisecond) } })
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { wants(t, s, "k", "1") })
			wg.Go(func() {
				if p, err := s.Scan(context.Background(), kv.Range{Prefix: "p/"}); err != nil || len(p.Entries) != 0 {
					t.Errorf("Scan: %v, %v", p, err)
				}
			})
		}
		wg.Wait()
		if st := s.Stats(); b.asked("k") != 1 || b.scanned() != 2 || st.Joins != 38 {
			t.Errorf("%d gets, %d scans (one of the members), %d joins; want 1, 2, 38", b.asked("k"), b.scanned(), st.Joins)
		}
	})
}

// TestJoinersOutliveTheFirst sees that a caller who gives up does not fail those
// who share its question.
func TestJoinersOutliveTheFirst(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, s, "k", "1")
		b.freeze()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Get(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first: %v", err)
			}
		})
		time.Sleep(time.Millisecond)
		wg.Go(func() { wants(t, s, "k", "1") })
		time.Sleep(200 * time.Millisecond)
		b.heal()
		wg.Wait()
	})
}

// TestFillRace reads a key while it changes: the answer on its way from the
// store is older than what the feed brings, and must not be kept.
func TestFillRace(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, s, under kv.Store){
		"by another":  func(t *testing.T, _, under kv.Store) { put(t, under, "p/k", "new") },
		"by this one": func(t *testing.T, s, _ kv.Store) { put(t, s, "p/k", "new") },
		"twice":       func(t *testing.T, s, under kv.Store) { put(t, s, "p/k", "newer"); put(t, under, "p/k", "new") },
	} {
		for _, first := range []string{"old", ""} {
			t.Run(name+" "+first, func(t *testing.T) {
				inBubble(t, func(t *testing.T, s *near.Store, b *below) {
					if first != "" {
						put(t, b.Store, "p/k", first)
					}
					synctest.Wait()
					b.set(func(b *below) { b.late = func(string) { time.Sleep(20 * time.Millisecond) } })
					var wg sync.WaitGroup
					wg.Go(func() { wants(t, s, "p/k", first) })
					wg.Go(func() { scanned(t, s, "p/", first) })
					time.Sleep(10 * time.Millisecond)
					change(t, s, b.Store)
					synctest.Wait()
					// Those who ask now must not join the question that is under way.
					wg.Go(func() { wants(t, s, "p/k", "new") })
					wg.Go(func() { scanned(t, s, "p/", "new") })
					wg.Wait()
					for range 2 {
						wants(t, s, "p/k", "new")
						scanned(t, s, "p/", "new")
					}
					// The second answer can be kept, but not where the first was that
					// there is nothing: that may have been a deletion since.
					if most := 2 + max(0, 1-len(first)); b.asked("p/k") > most {
						t.Errorf("the store was asked %d times, want %d at most", b.asked("p/k"), most)
					}
				})
			})
		}
	}
}

// TestSlowAnswers keeps the store's first answer back while the key changes.
// Nobody who asks later may be given it, and it must not be kept, though others
// have asked meanwhile and the feed says nothing.
func TestSlowAnswers(t *testing.T) {
	for name, again := range map[string]func(s *near.Store, rev kv.Revision) string{
		"at least as of a revision": func(s *near.Store, rev kv.Revision) string {
			return read(kv.AtLeast(context.Background(), rev), s, "k")
		},
		"long after": func(s *near.Store, _ kv.Revision) string {
			time.Sleep(near.Lease)
			return read(context.Background(), s, "k")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, s *near.Store, b *below) {
				put(t, b.Store, "k", "old")
				synctest.Wait()
				var first atomic.Bool
				b.set(func(b *below) {
					b.late = func(string) {
						if first.CompareAndSwap(false, true) {
							time.Sleep(6 * near.Lease)
						}
					}
					b.delay = func() time.Duration { return 3 * near.Lease }
				})
				var wg sync.WaitGroup
				wg.Go(func() { wants(t, s, "k", "old") })
				time.Sleep(time.Millisecond)
				rev := put(t, b.Store, "k", "new")
				if got := again(s, rev); got != "new" {
					t.Errorf("k is %q, want new", got)
				}
				// The feed brings the change, and what is kept is dropped.
				b.set(func(b *below) { b.delay = nil })
				time.Sleep(3 * near.Lease)
				if _, err := s.Commit(t.Context(), []kv.Check{kv.Absent("k")}, nil); !errors.Is(err, kv.ErrConflict) {
					t.Errorf("Commit: %v, want a conflict", err)
				}
				wg.Wait()
				for range 100 {
					wants(t, s, "k", "new")
					time.Sleep(100 * time.Millisecond)
				}
			})
		})
	}
}
