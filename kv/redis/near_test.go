package redis_test

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// nearOver makes a near cache that ends with the test.
func nearOver(t *testing.T, s kv.Store) *near.Store {
	t.Helper()
	n := near.New(s, near.Options{Logger: slog.New(slog.DiscardHandler)})
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return n
}

// TestNearNeverOld writes in one process and reads in two others whose caches
// hold the old, while their feeds are cut over and over: after Fence nobody
// answers with it.
func TestNearNeverOld(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	writer := nearOver(t, open(t, connect(t, srv.URL()), redis.Bucket{Name: "b"}))
	var readers []*near.Store
	var ways []*redistest.Proxy
	for range 2 {
		p := redistest.NewProxy(t, srv.Addr())
		ways = append(ways, p)
		readers = append(readers, nearOver(t, open(t, connect(t, p.URL()), redis.Bucket{Name: "b"})))
	}
	for i := range 40 {
		value := fmt.Sprint(i)
		rev := put(t, writer, "k", value)
		if i%8 == 0 {
			ways[i/8%2].Cut()
		}
		if err := writer.Fence(within(t, 10*time.Second), rev); err != nil {
			t.Fatalf("round %d: Fence: %v", i, err)
		}
		var wait sync.WaitGroup
		for _, r := range readers {
			wait.Go(func() {
				for range 3 {
					if e, err := r.Get(within(t, 10*time.Second), "k"); err != nil || string(e.Value) != value {
						t.Errorf("round %d: %q, %v", i, e.Value, err)
					}
				}
			})
		}
		wait.Wait()
	}
}

// TestNearAndTheFrozenServer sees that a cache answers from memory no longer
// than its lease when the server hangs.
func TestNearAndTheFrozenServer(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	n := nearOver(t, open(t, connect(t, srv.URL()), redis.Bucket{}))
	put(t, n, "k", "1")
	wants(t, n, "k", "1")
	srv.Freeze()
	time.Sleep(near.Lease + 100*time.Millisecond)
	_, err := n.Get(within(t, time.Second), "k")
	fails(t, "Get after the lease", err, kv.ErrUnavailable)
	srv.Thaw()
	wants(t, n, "k", "1")
}
