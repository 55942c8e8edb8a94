package near_test

import (
	"context"
	"errors"
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
