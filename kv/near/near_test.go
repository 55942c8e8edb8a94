package near_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// inBubble runs a test with one near cache over a store that the test can
// disturb, in a time of its own.
func inBubble(t *testing.T, test func(t *testing.T, s *near.Store, b *below)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBelow(memory.New())
		s := near.New(b, quiet())
		synctest.Wait() // until its feed has begun
		test(t, s, b)
		b.heal()
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestHits sees that a second read does not ask the store, whether the key
// exists or not, and that changes by others replace what is kept.
func TestHits(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "1")
		for range 3 {
			wants(t, s, "k", "1")
			wants(t, s, "none", "")
		}
		put(t, b.Store, "k", "2")
		put(t, b.Store, "none", "now")
		synctest.Wait()
		wants(t, s, "k", "2")
		wants(t, s, "none", "now")
		if _, err := b.Store.Commit(t.Context(), nil, []kv.Write{kv.Delete("k")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wants(t, s, "k", "")
		if got := [2]int{b.asked("k"), b.asked("none")}; got != [2]int{1, 2} {
			t.Errorf("the store was asked %d times, want once, and again for the key that came", got)
		}
		if st := s.Stats(); st.Misses != 3 || st.Items != 2 || !st.Leased || st.Bytes == 0 {
			t.Errorf("stats: %+v", st)
		}
	})
}

// TestExpiryWhenTheStoreSays sees that an entry reads as absent from its time
// on, without the feed.
func TestExpiryWhenTheStoreSays(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.PutTTL("k", []byte("v"), 1500*time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
		wants(t, s, "k", "v")
		b.set(func(b *below) { b.delay = func() time.Duration { return time.Second } })
		time.Sleep(1500*time.Millisecond - 1)
		wants(t, s, "k", "v")
		time.Sleep(1)
		wants(t, s, "k", "")
		if b.asked("k") != 1 {
			t.Errorf("the store was asked %d times, want once", b.asked("k"))
		}
	})
}

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
					if b.asked("p/k") != 2 {
						t.Errorf("the store was asked %d times, want twice: the second answer can be kept", b.asked("p/k"))
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

// scanned sees that a prefix holds one key with a value, or "" for none.
func scanned(tb testing.TB, s kv.Store, prefix, value string) {
	tb.Helper()
	p, err := s.Scan(context.Background(), kv.Range{Prefix: prefix})
	got := ""
	for _, e := range p.Entries {
		got += string(e.Value)
	}
	if err != nil || got != value {
		tb.Errorf("Scan(%q): %q, %v; want %q", prefix, got, err, value)
	}
}

// TestOwnCommitsAreSeen sees that what was written through a cache is read from
// it, though its feed is late, and that the feed's older news do not undo it.
func TestOwnCommitsAreSeen(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, s, "k", "1")
		wants(t, s, "k", "1")
		wants(t, s, "none", "")
		b.set(func(b *below) { b.delay = func() time.Duration { return 100 * time.Millisecond } })
		put(t, b.Store, "k", "other's") // will come after what follows has been read
		put(t, b.Store, "none", "other's")
		put(t, s, "k", "2")
		put(t, s, "k/below", "3")
		if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.Delete("none"), kv.Put("k", []byte("4"))}); err != nil {
			t.Fatal(err)
		}
		for range 100 {
			wants(t, s, "k", "4")
			wants(t, s, "none", "")
			scanned(t, s, "k/", "3")
			time.Sleep(10 * time.Millisecond)
		}
	})
}

// TestConflictsGetOn sees that a caller whose commit failed because it had read
// something late reads the newest the next time.
func TestConflictsGetOn(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, s, "p/k", "1")
		wants(t, s, "p/k", "1")
		scanned(t, s, "p/", "1")
		b.set(func(b *below) { b.delay = func() time.Duration { return time.Second } })
		put(t, b.Store, "p/k", "2")
		e, err := s.Get(t.Context(), "p/k")
		if err != nil || string(e.Value) != "1" {
			t.Fatalf("%s, %v: the test wants the late feed to be seen", e.Value, err)
		}
		if _, err := s.Commit(t.Context(), []kv.Check{kv.Unchanged("p/k", e.Revision)}, []kv.Write{kv.Put("p/k", nil)}); !errors.Is(err, kv.ErrConflict) {
			t.Fatalf("Commit: %v, want a conflict", err)
		}
		wants(t, s, "p/k", "2")
		scanned(t, s, "p/", "2")
	})
}

// TestAtLeast sees that nothing older than a revision is answered: it waits for
// a feed that is a little late, and asks the store when it is very late.
func TestAtLeast(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		for asks, delay := range []time.Duration{3 * time.Millisecond, time.Second} {
			key := fmt.Sprint("k/", delay)
			b.set(func(b *below) { b.delay = nil })
			put(t, b.Store, key, "1")
			wants(t, s, key, "1")
			synctest.Wait()
			b.set(func(b *below) { b.delay = func() time.Duration { return delay } })
			rev := put(t, b.Store, key, "2")
			before := b.asked(key)
			wants(t, s, key, "1") // late, and nobody has asked for better
			if got := read(kv.AtLeast(t.Context(), rev), s, key); got != "2" {
				t.Errorf("delay %v: %q at least as of %d, want 2", delay, got, rev)
			}
			if got := b.asked(key) - before; got != asks {
				t.Errorf("delay %v: the store was asked %d times, want %d", delay, got, asks)
			}
			time.Sleep(2 * delay)
		}
		// A revision that the store never had, as after a restore.
		put(t, s, "k", "1")
		if got := read(kv.AtLeast(t.Context(), 1<<40), s, "k"); got != "1" {
			t.Errorf("beyond the store: %q, want what there is", got)
		}
	})
}

// TestReserved sees that callers cannot touch the heartbeats, nor see them.
func TestReserved(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		ctx := t.Context()
		_, get := s.Get(ctx, "near/beat/x")
		_, scan := s.Scan(ctx, kv.Range{Prefix: "near/"})
		_, check := s.Commit(ctx, []kv.Check{kv.Absent("near/x")}, nil)
		_, write := s.Commit(ctx, nil, []kv.Write{kv.Put("near/x", nil)})
		_, watch := s.Watch(ctx, "near/beat/", 0)
		for what, err := range map[string]error{"Get": get, "Scan": scan, "check": check, "write": write, "Watch": watch} {
			if !errors.Is(err, kv.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", what, err)
			}
		}
		p, err := s.Scan(ctx, kv.Range{})
		if err != nil || len(p.Entries) != 0 {
			t.Fatalf("Scan of everything: %+v, %v", p, err)
		}
		if all, err := b.Store.Scan(ctx, kv.Range{Prefix: "near/beat/"}); err != nil || len(all.Entries) != 1 {
			t.Fatalf("%d heartbeats in the store, %v; want one", len(all.Entries), err)
		}
		// Heartbeats are no change of the whole store.
		for range 5 {
			wants(t, s, "k", "")
			time.Sleep(time.Second)
		}
		if _, err := s.Commit(ctx, []kv.Check{kv.PrefixUnchanged("", p.Revision)}, []kv.Write{kv.Put("k", nil)}); err != nil {
			t.Errorf("Commit on an unchanged store: %v", err)
		}
		if _, err := s.Commit(ctx, []kv.Check{kv.PrefixUnchanged("", p.Revision)}, []kv.Write{kv.Put("k", nil)}); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("Commit on a changed store: %v", err)
		}
	})
}
