package memory

import (
	"context"
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
