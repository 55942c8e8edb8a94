package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
)

// TestRestart sees that data, revisions and feeds go on over a restart.
func TestRestart(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	srv := startServer(t, jetstream.ServerOptions{Dir: dir})
	s := openBucket(t, srv, jetstream.Bucket{Name: "keep"})
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("a", []byte("1")), kv.PutTTL("soon", nil, time.Second), kv.PutTTL("late", []byte("1"), time.Hour)}); err != nil {
		t.Fatal(err)
	}
	rev, err := s.Commit(ctx, nil, []kv.Write{kv.Put("b", []byte("1")), kv.Delete("never")})
	if err != nil {
		t.Fatal(err)
	}
	srv.Shutdown()
	time.Sleep(1100 * time.Millisecond) // "soon" expires while the server is down

	srv = startServer(t, jetstream.ServerOptions{Dir: dir})
	s = openBucket(t, srv, jetstream.Bucket{Name: "keep"})
	page, err := s.Scan(ctx, kv.Range{})
	if err != nil || len(page.Entries) != 3 || page.Revision < rev {
		t.Fatalf("after the restart: %+v, %v", page, err)
	}
	if e := page.Entries[2]; e.Key != "late" || e.Expires.IsZero() {
		t.Errorf("the expiry was lost: %+v", e)
	}
	if _, err := s.Get(ctx, "soon"); !errors.Is(err, kv.ErrNotFound) {
		t.Errorf("what expired meanwhile: %v, want ErrNotFound", err)
	}
	feed, err := s.Watch(ctx, "", rev-1)
	if err != nil {
		t.Fatal(err)
	}
	if ev, err := feed.Next(ctx); err != nil || ev.Kind != kv.EventDelete || ev.Entry.Revision != rev {
		t.Errorf("a feed over the restart: %+v, %v", ev, err)
	}
	if next, err := s.Commit(ctx, nil, []kv.Write{kv.Put("a", []byte("2"))}); err != nil || next <= rev {
		t.Errorf("Commit = %d, %v; want a revision after %d", next, err, rev)
	}
}

// TestWorker connects as a worker process does, by the listener and the token.
func TestWorker(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	srv := startServer(t, jetstream.ServerOptions{Listen: true})
	main := openBucket(t, srv, jetstream.Bucket{Name: "shared"})
	if !strings.HasPrefix(srv.URL(), "nats://127.0.0.1:") {
		t.Fatalf("URL = %q, want one on the loopback interface", srv.URL())
	}
	nc, err := jetstream.Dial(srv.URL(), srv.Token(), "worker")
	if err != nil {
		t.Fatalf("Dial: %v", err)
	}
	defer nc.Close()
	worker, err := jetstream.Open(ctx, nc, jetstream.Bucket{Name: "shared"})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer worker.Close()
	feed, err := worker.Watch(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		if i == 10 {
			if err := nc.ForceReconnect(); err != nil {
				t.Fatal(err)
			}
		}
		want := fmt.Sprint(i)
		if _, err := main.Commit(ctx, nil, []kv.Write{kv.Put("k", []byte(want))}); err != nil {
			t.Fatal(err)
		}
		if e, err := worker.Get(ctx, "k"); err != nil || string(e.Value) != want {
			t.Fatalf("the worker reads %q, %v; want %q", e.Value, err, want)
		}
		if ev, err := feed.Next(ctx); err != nil || string(ev.Entry.Value) != want {
			t.Fatalf("the worker's feed has %q, %v; want %q", ev.Entry.Value, err, want)
		}
	}
}

// TestWrongToken sees that the listener takes nobody else.
func TestWrongToken(t *testing.T) {
	t.Parallel()
	srv := startServer(t, jetstream.ServerOptions{Listen: true})
	for _, token := range []string{"", "guess", srv.Token() + "x", strings.ToLower(srv.Token())} {
		if nc, err := jetstream.Dial(srv.URL(), token, "thief"); !errors.Is(err, nats.ErrAuthorization) {
			t.Errorf("Dial with the token %q: %v, want an authorization error", token, err)
			nc.Close()
		}
	}
	if quiet := startServer(t, jetstream.ServerOptions{}); quiet.URL() != "" {
		t.Errorf("a server without a listener has the URL %q", quiet.URL())
	}
}

// TestDirectory goes through what can be wrong with the directory.
func TestDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	srv := startServer(t, jetstream.ServerOptions{Dir: dir})
	if _, err := jetstream.StartServer(jetstream.ServerOptions{Dir: dir}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server on the same directory: %v", err)
	}
	srv.Shutdown()
	startServer(t, jetstream.ServerOptions{Dir: dir}).Shutdown()

	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	blocked := t.TempDir()
	if err := os.WriteFile(filepath.Join(blocked, "jetstream"), []byte("not a directory"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ dir, says string }{
		"none":          {"", "name a directory"},
		"a file":        {file, "not a directory"},
		"corrupt store": {blocked, "cannot use " + blocked},
	} {
		start := time.Now()
		srv, err := jetstream.StartServer(jetstream.ServerOptions{Dir: test.dir})
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, test.says)
		}
		if err == nil {
			srv.Shutdown()
		}
		if wait := time.Since(start); wait > 10*time.Second {
			t.Errorf("%s: the error came after %v", name, wait)
		}
	}
}

// TestServerGone sees that calls end with ErrUnavailable, in their time, when
// the server is gone.
func TestServerGone(t *testing.T) {
	t.Parallel()
	srv := startServer(t, jetstream.ServerOptions{Listen: true})
	nc, err := jetstream.Dial(srv.URL(), srv.Token(), "worker")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	s, err := jetstream.Open(t.Context(), nc, jetstream.Bucket{Name: "gone"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	srv.Shutdown()
	srv.Shutdown()
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := s.Get(ctx, "k"); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("Get: %v, want ErrUnavailable", err)
	}
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("k", nil)}); !errors.Is(err, kv.ErrUnavailable) && !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Commit: %v, want ErrUnavailable or the end of the time", err)
	}
	if _, err := srv.Connect("late"); err == nil {
		t.Error("Connect after Shutdown gave no error")
	}
}

// TestFullBucket fills a bucket: values are refused, deletions are not, and
// make room.
func TestFullBucket(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := openBucket(t, startServer(t, jetstream.ServerOptions{}), jetstream.Bucket{MaxBytes: 256 << 10})
	value, n := make([]byte, 16<<10), 0
	fill := func() error {
		_, err := s.Commit(ctx, nil, []kv.Write{kv.Put(fmt.Sprint("k/", n), value)})
		return err
	}
	for end := time.Now().Add(10 * time.Second); ; n++ {
		err := fill()
		if errors.Is(err, kv.ErrUnavailable) && strings.Contains(err.Error(), "full") {
			break
		}
		if err != nil || time.Now().After(end) {
			t.Fatalf("after %d values: %v", n, err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n < 10 {
		t.Errorf("full after %d values of 16 KiB, the limit is 256 KiB", n)
	}
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Delete("k/0")}); err != nil {
		t.Errorf("one deletion: %v", err)
	}
	deletions := make([]kv.Write, 0, n)
	for i := 1; i < n; i++ {
		deletions = append(deletions, kv.Delete(fmt.Sprint("k/", i)))
	}
	if _, err := s.Commit(ctx, []kv.Check{kv.Absent("none")}, deletions); err != nil {
		t.Fatalf("%d deletions: %v", len(deletions), err)
	}
	time.Sleep(300 * time.Millisecond) // the known size is that old at most
	if err := fill(); err != nil {
		t.Errorf("after the deletions: %v", err)
	}
}

// TestOpen opens one bucket from several connections at once, and refuses
// names that cannot be.
func TestOpen(t *testing.T) {
	t.Parallel()
	srv := startServer(t, jetstream.ServerOptions{})
	var wg sync.WaitGroup
	for range 4 {
		nc, err := srv.Connect("worker")
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			s, err := jetstream.Open(t.Context(), nc, jetstream.Bucket{Name: "same"})
			if err != nil {
				t.Errorf("Open: %v", err)
				return
			}
			if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.Put("k", nil)}); err != nil {
				t.Errorf("Commit: %v", err)
			}
		})
	}
	wg.Wait()
	nc, err := srv.Connect("test")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", "a.b", "a b", "*", strings.Repeat("x", 33)} {
		if _, err := jetstream.Open(t.Context(), nc, jetstream.Bucket{Name: name}); !errors.Is(err, kv.ErrInvalid) {
			t.Errorf("Open %q: %v, want ErrInvalid", name, err)
		}
	}
	start := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := jetstream.Open(ctx, nc, jetstream.Bucket{Name: "three", Replicas: 3}); err == nil {
		t.Error("three replicas on one node gave no error")
	}
	if wait := time.Since(start); wait > 5*time.Second {
		t.Errorf("Open took %v beyond its context", wait)
	}
}

// BenchmarkScan50k reads a prefix of 50,000 keys.
func BenchmarkScan50k(b *testing.B) {
	s := openBucket(b, startServer(b, jetstream.ServerOptions{}), jetstream.Bucket{})
	const n = 50000
	for from := 0; from < n; from += kv.MaxWrites {
		var writes []kv.Write
		for i := from; i < from+kv.MaxWrites; i++ {
			writes = append(writes, kv.Put(fmt.Sprintf("p/%06d", i), make([]byte, 100)))
		}
		if _, err := s.Commit(b.Context(), nil, writes); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		page, err := s.Scan(context.Background(), kv.Range{Prefix: "p/"})
		if err != nil || len(page.Entries) != n {
			b.Fatalf("%d entries, %v", len(page.Entries), err)
		}
	}
}
