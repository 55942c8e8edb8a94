package near_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// copyOf is a store with the same keys and values.
func copyOf(tb testing.TB, s kv.Store) kv.Store {
	tb.Helper()
	out := memory.New()
	p, err := s.Scan(context.Background(), kv.Range{})
	if err != nil {
		tb.Fatal(err)
	}
	for _, e := range p.Entries {
		put(tb, out, e.Key, string(e.Value))
	}
	return out
}

// TestLeaseRunsOut freezes the network of a member while it is read from: it
// goes on from memory for at most a Lease, and then refuses.
func TestLeaseRunsOut(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "old")
		wants(t, s, "k", "old")
		b.freeze()
		frozen := time.Now()
		put(t, b.Store, "k", "new")
		for {
			at := time.Since(frozen)
			_, err := s.Get(t.Context(), "k")
			if errors.Is(err, kv.ErrUnavailable) {
				if at < near.Lease-time.Second {
					t.Errorf("refused after %v already", at)
				}
				break
			}
			if err != nil || at >= near.Lease {
				t.Fatalf("answered %v after the freeze: %v", at, err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if st := s.Stats(); st.Leased || st.Refusals == 0 {
			t.Errorf("stats: %+v", st)
		}
		b.heal()
		wants(t, s, "k", "new")
		time.Sleep(time.Second)
		if before := b.asked("k"); read(t.Context(), s, "k") != "new" || b.asked("k") != before {
			t.Error("after the thaw it does not answer from memory")
		}
	})
}

// TestOldLeaderIsNotBelieved cuts a member off together with the leader that
// answers its reads: their answers are taken for at most a Lease.
func TestOldLeaderIsNotBelieved(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "old")
		wants(t, s, "none", "")
		b.cutOff(t)
		rev := put(t, b.Store, "k", "new")
		cut := time.Now()
		// A revision that its side cannot have is not given older.
		if got, err := s.Get(kv.AtLeast(t.Context(), rev), "k"); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("at least as of %d: %q, %v; want ErrUnavailable", rev, got.Value, err)
		}
		time.Sleep(near.Lease - time.Since(cut))
		for range 5 {
			for _, key := range []string{"k", "none", "other"} {
				if e, err := s.Get(t.Context(), key); !errors.Is(err, kv.ErrUnavailable) {
					t.Errorf("%s: %q, %v; want ErrUnavailable", key, e.Value, err)
				}
			}
			if _, err := s.Scan(t.Context(), kv.Range{Prefix: "p/"}); !errors.Is(err, kv.ErrUnavailable) {
				t.Errorf("Scan: %v; want ErrUnavailable", err)
			}
			if _, err := s.Scan(t.Context(), kv.Range{}); !errors.Is(err, kv.ErrUnavailable) {
				t.Errorf("Scan of everything: %v; want ErrUnavailable", err)
			}
		}
		b.heal()
		wants(t, s, "k", "new")
	})
}

// TestStoppedMemberWakesUp reads, after a long stop, what changed during it.
func TestStoppedMemberWakesUp(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "old")
		wants(t, s, "k", "old")
		b.freeze()
		put(t, b.Store, "k", "new")
		time.Sleep(time.Minute)
		time.AfterFunc(100*time.Millisecond, b.heal)
		wants(t, s, "k", "new")
	})
}

// TestLostFeed ends the feed: everything is dropped, and a new one is begun.
func TestLostFeed(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "p/k", "old")
		wants(t, s, "p/k", "old")
		scanned(t, s, "p/", "old")
		synctest.Wait()
		b.lose()
		put(t, b.Store, "p/k", "new") // the event that is lost
		synctest.Wait()
		if st := s.Stats(); st.Leased || st.Items != 0 || st.Bytes != 0 {
			t.Errorf("after the loss: %+v", st)
		}
		wants(t, s, "p/k", "new")
		scanned(t, s, "p/", "new")
		time.Sleep(time.Second)
		before := b.asked("p/k")
		for range 3 {
			wants(t, s, "p/k", "new")
		}
		if st := s.Stats(); !st.Leased || st.Restarts != 1 || b.asked("p/k") > before+1 {
			t.Errorf("a second later: %+v, %d questions for one key", st, b.asked("p/k")-before)
		}
	})
}

// TestFillAcrossALoss answers a read when the feed that would have corrected it
// is gone: it must not be kept for the next.
func TestFillAcrossALoss(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "p/k", "old")
		synctest.Wait()
		b.set(func(b *below) { b.late = func(string) { time.Sleep(500 * time.Millisecond) } })
		var wg sync.WaitGroup
		wg.Go(func() { wants(t, s, "p/k", "old") })
		wg.Go(func() { scanned(t, s, "p/", "old") })
		time.Sleep(10 * time.Millisecond)
		b.set(func(b *below) { b.late = nil })
		b.lose()
		put(t, b.Store, "p/k", "new")
		time.Sleep(200 * time.Millisecond) // the next feed has begun
		if !s.Stats().Leased {
			t.Fatal("the test wants a new feed by now")
		}
		wants(t, s, "p/k", "new") // nor may somebody else be given it
		scanned(t, s, "p/", "new")
		wg.Wait()
		wants(t, s, "p/k", "new")
		scanned(t, s, "p/", "new")
	})
}

// TestSilentFeedIsGivenUp lets heartbeats be written and none come back.
func TestSilentFeedIsGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "1")
		b.set(func(b *below) {
			b.delay = func() time.Duration {
				b.set(func(b *below) { b.delay = nil }) // one event is held for ever
				return time.Hour
			}
		})
		for range 200 {
			if got := read(t.Context(), s, "k"); got != "1" {
				t.Fatalf("k is %q", got)
			}
			time.Sleep(50 * time.Millisecond)
		}
		if st := s.Stats(); st.Leased || st.PassThroughs == 0 {
			t.Errorf("stats: %+v", st)
		}
		time.Sleep(time.Hour)
		wants(t, s, "k", "1")
		synctest.Wait()
		if st := s.Stats(); !st.Leased || st.Restarts == 0 {
			t.Errorf("an hour later: %+v, want a new feed", st)
		}
	})
}

// TestIdleMembersDoNotWrite counts the heartbeats of a member that nobody reads
// from, and sees that the next read is right.
func TestIdleMembersDoNotWrite(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "1")
		wants(t, s, "k", "1")
		time.Sleep(time.Minute)
		before := b.written()
		if before < 10 || before > 30 {
			t.Errorf("%d heartbeats after one read, want those of ten seconds", before)
		}
		put(t, b.Store, "k", "2")
		time.Sleep(time.Hour)
		if b.written() != before {
			t.Errorf("%d heartbeats in an idle hour", b.written()-before)
		}
		wants(t, s, "k", "2")
		if b.asked("k") != 2 {
			t.Error("the read after the pause was not passed through")
		}
		synctest.Wait()
		wants(t, s, "k", "2")
		if b.asked("k") != 2 || b.written() != before+1 {
			t.Error("the second read after the pause was passed through, or wrote a heartbeat")
		}
	})
}

// TestClosedBelow sees what a near cache does when somebody closes its store.
func TestClosedBelow(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		if err := b.Store.Close(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if _, err := s.Get(t.Context(), "k"); !errors.Is(err, kv.ErrClosed) && !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("Get: %v", err)
		}
	})
}
