package near_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/kvtest"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// quiet are the options of most tests.
func quiet() near.Options { return near.Options{Logger: slog.New(slog.DiscardHandler)} }

// open makes a near cache that ends with the test.
func open(tb testing.TB, store kv.Store, o near.Options) *near.Store {
	tb.Helper()
	s := near.New(store, o)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("Close: %v", err)
		}
	})
	return s
}

// startServer runs an embedded NATS server for a test.
func startServer(tb testing.TB) *jetstream.Server {
	tb.Helper()
	srv, err := jetstream.StartServer(jetstream.ServerOptions{Dir: tb.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatalf("StartServer: %v", err)
	}
	tb.Cleanup(srv.Shutdown)
	return srv
}

// buckets counts the buckets of this run, for names.
var buckets atomic.Int64

// openBucket opens a bucket on a connection of its own, which ends after what
// the test cleans up later.
func openBucket(tb testing.TB, srv *jetstream.Server, name string) *jetstream.Store {
	tb.Helper()
	if name == "" {
		name = fmt.Sprint("bucket", buckets.Add(1))
	}
	nc, err := srv.Connect("test")
	if err != nil {
		tb.Fatalf("Connect: %v", err)
	}
	s, err := jetstream.Open(tb.Context(), nc, jetstream.Bucket{Name: name, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		_ = s.Close() // never fails
		nc.Close()
	})
	return s
}

// connectRedis runs a Redis server for a test and connects to it.
func connectRedis(tb testing.TB) *redis.Conn {
	tb.Helper()
	c, err := redis.Connect(tb.Context(), redis.Options{URL: redistest.Start(tb).URL(), Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatalf("Connect: %v", err)
	}
	tb.Cleanup(c.Close)
	return c
}

// openRedis opens a new bucket.
func openRedis(tb testing.TB, c *redis.Conn) *redis.Store {
	tb.Helper()
	s, err := redis.Open(tb.Context(), c, redis.Bucket{Name: fmt.Sprint("bucket", buckets.Add(1))})
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	return s
}

// TestConformance sees that a near cache is the same store as what is below it.
func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("Memory", func(t *testing.T) {
		t.Parallel()
		kvtest.Run(t, func(t *testing.T) kv.Store { return open(t, memory.New(), quiet()) })
	})
	t.Run("JetStream", func(t *testing.T) {
		t.Parallel()
		srv := startServer(t)
		kvtest.Run(t, func(t *testing.T) kv.Store { return open(t, openBucket(t, srv, ""), quiet()) })
	})
	t.Run("Redis", func(t *testing.T) {
		t.Parallel()
		c := connectRedis(t)
		kvtest.Run(t, func(t *testing.T) kv.Store { return open(t, openRedis(t, c), quiet()) })
	})
}

// BenchmarkStore runs the benchmarks of all adapters over JetStream.
func BenchmarkStore(b *testing.B) {
	srv := startServer(b)
	kvtest.Bench(b, func(b *testing.B) kv.Store { return open(b, openBucket(b, srv, ""), quiet()) })
}
