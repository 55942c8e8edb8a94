package redis_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// connect reaches a server; the connection ends with the test.
func connect(tb testing.TB, url string) *redis.Conn {
	tb.Helper()
	c, err := redis.Connect(tb.Context(), redis.Options{URL: url, Name: "test", Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		tb.Fatalf("Connect: %v", err)
	}
	tb.Cleanup(c.Close)
	return c
}

// buckets counts the buckets of this run, for names.
var buckets atomic.Int64

// open opens a bucket on a connection; without a name, a new one.
func open(tb testing.TB, c *redis.Conn, b redis.Bucket) *redis.Store {
	tb.Helper()
	if b.Name == "" {
		b.Name = fmt.Sprint("bucket", buckets.Add(1))
	}
	s, err := redis.Open(tb.Context(), c, b)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() { _ = s.Close() }) // never fails
	return s
}

// TestConformance runs the suite of all adapters.
func TestConformance(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	c := connect(t, srv.URL())
	kvtest.Run(t, func(t *testing.T) kv.Store { return open(t, c, redis.Bucket{}) })
}

// BenchmarkStore runs the benchmarks of all adapters.
func BenchmarkStore(b *testing.B) {
	srv := redistest.Start(b)
	c := connect(b, srv.URL())
	kvtest.Bench(b, func(b *testing.B) kv.Store { return open(b, c, redis.Bucket{}) })
}
