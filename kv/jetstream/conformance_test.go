package jetstream_test

import (
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/kvtest"
)

// startServer runs an embedded server for a test, quiet but for warnings.
func startServer(tb testing.TB, o jetstream.ServerOptions) *jetstream.Server {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	srv, err := jetstream.StartServer(o)
	if err != nil {
		tb.Fatalf("StartServer: %v", err)
	}
	tb.Cleanup(srv.Shutdown)
	return srv
}

// buckets counts the buckets of this run, for names.
var buckets atomic.Int64

// openBucket opens a bucket on a connection of its own; without a name, a new
// one.
func openBucket(tb testing.TB, srv *jetstream.Server, b jetstream.Bucket) *jetstream.Store {
	tb.Helper()
	if b.Name == "" {
		b.Name = fmt.Sprint("bucket", buckets.Add(1))
	}
	nc, err := srv.Connect("test")
	if err != nil {
		tb.Fatalf("Connect: %v", err)
	}
	s, err := jetstream.Open(tb.Context(), nc, b)
	if err != nil {
		tb.Fatalf("Open: %v", err)
	}
	tb.Cleanup(func() {
		_ = s.Close() // never fails
		nc.Close()
	})
	return s
}

// TestConformance runs the suite of all adapters on file storage.
func TestConformance(t *testing.T) {
	t.Parallel()
	srv := startServer(t, jetstream.ServerOptions{})
	kvtest.Run(t, func(t *testing.T) kv.Store { return openBucket(t, srv, jetstream.Bucket{}) })
}

// BenchmarkStore runs the benchmarks of all adapters on file storage.
func BenchmarkStore(b *testing.B) {
	srv := startServer(b, jetstream.ServerOptions{})
	kvtest.Bench(b, func(b *testing.B) kv.Store { return openBucket(b, srv, jetstream.Bucket{}) })
}
