package near_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

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

// TestLeftOutChanges has a feed that leaves out a change which was overwritten
// and brings what replaced it after others: in between the feed has not come as
// far as its last revision says.
func TestLeftOutChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "1")
		wants(t, s, "k", "1")
		synctest.Wait()
		b.set(func(b *below) {
			b.gather = 20 * time.Millisecond
			b.delay = func() time.Duration { return 10 * time.Millisecond }
		})
		put(t, b.Store, "first", "")
		rev := put(t, b.Store, "k", "2")
		put(t, b.Store, "other", "")
		put(t, b.Store, "k", "3")
		time.Sleep(45 * time.Millisecond) // first and other have come, and not yet k
		if got := read(kv.AtLeast(t.Context(), rev), s, "k"); got != "3" {
			t.Errorf("at least as of %d: %q, want 3", rev, got)
		}
		time.Sleep(time.Second)
		wants(t, s, "k", "3")
	})
}
