package memory

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// TestExpiryByTimer sees that a key that nobody reads still leaves the store
// at its time, and that its tombstone is forgotten later.
func TestExpiryByTimer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, s := context.Background(), New()
		defer s.Close()
		if _, err := s.Commit(ctx, nil, []kv.Write{kv.PutTTL("a/b", []byte("v"), 1500*time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
		feed, err := s.Watch(ctx, "a/", 1)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		ev, err := feed.Next(ctx)
		if err != nil || ev.Kind != kv.EventExpire || ev.Entry.Key != "a/b" || ev.Entry.Revision != 2 {
			t.Fatalf("Next = %+v, %v; want the expiry of a/b at revision 2", ev, err)
		}
		if waited := time.Since(start); waited != 1500*time.Millisecond {
			t.Errorf("the expiry came after %v, want 1.5s", waited)
		}
		time.Sleep(kv.TombstoneAge + time.Second)
		synctest.Wait()
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.records) != 0 || len(s.due) != 0 || s.forgotten != 2 {
			t.Errorf("left %d records, %d due, forgotten up to %d; want 0, 0, 2", len(s.records), len(s.due), s.forgotten)
		}
	})
}

// TestForgottenTombstones sees that what can no longer be told is not claimed:
// a check on an old page does not hold, a feed from an old revision is refused.
func TestForgottenTombstones(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, s := context.Background(), New()
		defer s.Close()
		commit := func(checks []kv.Check, w ...kv.Write) error {
			_, err := s.Commit(ctx, checks, w)
			return err
		}
		if err := commit(nil, kv.Put("p/a", nil), kv.Put("p/b", nil)); err != nil {
			t.Fatal(err)
		}
		page, err := s.Scan(ctx, kv.Range{Prefix: "p/"})
		if err != nil {
			t.Fatal(err)
		}
		late, err := s.Watch(ctx, "", page.Revision)
		if err != nil {
			t.Fatal(err)
		}
		if err := commit(nil, kv.Delete("p/a")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(kv.TombstoneAge + time.Second)
		if err := commit([]kv.Check{kv.PrefixUnchanged("p/", page.Revision)}, kv.Put("x", nil)); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("an old page: %v, want ErrConflict", err)
		}
		// The log still reaches back; without it the deletion is lost.
		if ev, err := late.Next(ctx); err != nil || ev.Kind != kv.EventDelete {
			t.Errorf("a late feed: %+v, %v; want the deletion", ev, err)
		}
		for range logRecords + 1 {
			if err := commit(nil, kv.Put("busy", nil)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Watch(ctx, "", page.Revision); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("a feed from before a forgotten deletion: %v, want ErrUnavailable", err)
		}
		all, err := s.Watch(ctx, "", 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"p/b", "busy"} {
			if ev, err := all.Next(ctx); err != nil || ev.Entry.Key != want {
				t.Errorf("a feed from the beginning: %+v, %v; want %s", ev, err, want)
			}
		}
	})
}

// TestSlowFeed falls behind the change log, and still gets the newest change of
// each key in order.
func TestSlowFeed(t *testing.T) {
	t.Parallel()
	ctx, s := t.Context(), New()
	defer s.Close()
	feed, err := s.Watch(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	const n = logRecords + 100
	for i := range n {
		if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put(fmt.Sprint("k/", i%7), fmt.Append(nil, i))}); err != nil {
			t.Fatal(err)
		}
	}
	for i := n - 7; i < n; i++ {
		ev, err := feed.Next(ctx)
		if err != nil || string(ev.Entry.Value) != fmt.Sprint(i) || ev.Entry.Revision != kv.Revision(i+1) {
			t.Fatalf("Next = %s at %d, %v; want %d", ev.Entry.Value, ev.Entry.Revision, err, i)
		}
	}
}

// TestKeySet compares the set with a sorted slice over many changes.
func TestKeySet(t *testing.T) {
	t.Parallel()
	rnd := rand.New(rand.NewPCG(1, 2))
	var set keySet
	var want []string
	for range 20000 {
		key := fmt.Sprint(rnd.IntN(4000))
		at, found := slices.BinarySearch(want, key)
		if rnd.IntN(5) < 3 {
			set.add(key)
			if !found {
				want = slices.Insert(want, at, key)
			}
		} else {
			set.remove(key)
			if found {
				want = slices.Delete(want, at, at+1)
			}
		}
	}
	for _, start := range []string{"", "0", "2", "25", "25x", "999", "zzz"} {
		at, _ := slices.BinarySearch(want, start)
		if got := slices.Collect(set.from(start)); !slices.Equal(got, want[at:]) {
			t.Errorf("from %q: %d keys, want %d", start, len(got), len(want)-at)
		}
	}
}

// TestHeapStaysSmall refreshes one key far more often than it expires.
func TestHeapStaysSmall(t *testing.T) {
	t.Parallel()
	s := New()
	defer s.Close()
	for range 5000 {
		if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.PutTTL("k", nil, time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.due); n > 100 {
		t.Errorf("%d items wait for the expiry of one key", n)
	}
}
