package near_test

import (
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

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
