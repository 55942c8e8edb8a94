package near_test

import (
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

// stores are the adapters that near caches are used over.
func stores(t *testing.T) map[string]kv.Store {
	return map[string]kv.Store{
		"memory": memory.New(), "jetstream": openBucket(t, startServer(t), ""), "redis": openRedis(t, connectRedis(t)),
	}
}

// TestFeedsTellAllThatACacheNeeds checks what this package relies on and a feed
// might leave out: the time of expiry, and a value that replaced another and has
// itself expired before anybody took it from the feed.
func TestFeedsTellAllThatACacheNeeds(t *testing.T) {
	t.Parallel()
	for name, s := range stores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := t.Context()
			start := put(t, s, "k", "for ever")
			feed, err := s.Watch(ctx, "", start)
			if err != nil {
				t.Fatal(err)
			}
			defer feed.Close()
			if _, err := s.Commit(ctx, nil, []kv.Write{kv.PutTTL("other", []byte("v"), time.Hour)}); err != nil {
				t.Fatal(err)
			}
			want, err := s.Get(ctx, "other")
			if err != nil {
				t.Fatal(err)
			}
			ev, err := feed.Next(ctx)
			if err != nil || !ev.Entry.Expires.Equal(want.Expires) || ev.Entry.Revision != want.Revision {
				t.Errorf("the feed brings %+v, %v; want %+v", ev, err, want)
			}
			short, err := s.Commit(ctx, nil, []kv.Write{kv.PutTTL("k", []byte("short"), time.Second)})
			if err != nil {
				t.Fatal(err)
			}
			last := put(t, s, "last", "")
			time.Sleep(1100 * time.Millisecond)
			for told := false; !told || ev.Entry.Revision < last; {
				if ev, err = feed.Next(ctx); err != nil {
					t.Fatal(err)
				}
				told = told || ev.Entry.Key == "k" && ev.Entry.Revision >= short
				if settled := feed.(kv.Settler).Settled(); settled && !told && ev.Entry.Revision > short {
					t.Fatalf("at %d the feed has not told that k was changed at %d", ev.Entry.Revision, short)
				}
			}
		})
	}
}
