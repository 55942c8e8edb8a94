package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
)

// zeroTime stands for "never".
var zeroTime time.Time

// testBuckets counts the buckets of this file's tests, for names.
var testBuckets atomic.Int64

// newBucket opens a new bucket on a server of the test's own.
func newBucket(t *testing.T, b Bucket) (*Store, *nats.Conn) {
	t.Helper()
	srv, err := StartServer(ServerOptions{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("StartServer: %v", err)
	}
	t.Cleanup(srv.Shutdown)
	return openOn(t, srv, b)
}

// openOn opens a new bucket on a server.
func openOn(t *testing.T, srv *Server, b Bucket) (*Store, *nats.Conn) {
	t.Helper()
	nc, err := srv.Connect("test")
	if err != nil {
		t.Fatalf("Connect: %v", err)
	}
	b.Name = fmt.Sprint("b", testBuckets.Add(1))
	s, err := Open(t.Context(), nc, b)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	t.Cleanup(func() {
		_ = s.Close() // never fails
		nc.Close()
	})
	return s, nc
}

// TestReplicatedPaths runs the suite with the requests that a replicated
// stream needs: gets from the leader, scans compared with it, and the check
// that the whole stream stood still. The leader answers them on one node too.
// Walks take small steps, so that writes fall between them.
func TestReplicatedPaths(t *testing.T) {
	t.Parallel()
	srv, err := StartServer(ServerOptions{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatalf("StartServer: %v", err)
	}
	t.Cleanup(srv.Shutdown)
	kvtest.Run(t, func(t *testing.T) kv.Store {
		s, _ := openOn(t, srv, Bucket{Storage: Memory})
		s.replicas, s.pin, s.walk = 3, true, 100
		return s
	})
}

// TestFeedGap takes live messages away from a feed: it must notice by the
// numbers and read them from the stream.
func TestFeedGap(t *testing.T) {
	t.Parallel()
	s, _ := newBucket(t, Bucket{})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	put := func(key string) kv.Revision {
		rev, err := s.Commit(ctx, nil, []kv.Write{kv.Put(key, nil)})
		if err != nil {
			t.Fatalf("Commit: %v", err)
		}
		return rev
	}
	start := put("start")
	opened, err := s.Watch(ctx, "", start)
	if err != nil {
		t.Fatalf("Watch: %v", err)
	}
	f := opened.(*feed)
	wait := func(want string) {
		t.Helper()
		ev, err := f.Next(ctx)
		if err != nil || ev.Entry.Key != want {
			t.Fatalf("Next = %q, %v; want %q", ev.Entry.Key, err, want)
		}
	}
	steal := func() {
		t.Helper()
		for range 1000 {
			if m, _ := f.live.take(); m != nil {
				return
			}
			time.Sleep(time.Millisecond)
		}
		t.Fatal("no live message came")
	}
	put("one")
	wait("one")
	f.live.take() // what the feed already read from the stream

	put("lost, and noticed by the next")
	steal()
	put("next")
	wait("lost, and noticed by the next")
	wait("next")
	f.live.take()

	put("lost, and nothing comes after it")
	steal()
	wait("lost, and nothing comes after it")

	// More than the inbox holds: all is dropped, and read from the stream.
	f.live.mu.Lock()
	f.live.bytes = inboxBytes
	f.live.mu.Unlock()
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("dropped", []byte("value"))}); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	wait("dropped")
}

// TestPageOfAnotherProcess uses a page that this store did not scan itself.
func TestPageOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s, _ := newBucket(t, Bucket{})
	ctx := t.Context()
	commit := func(checks []kv.Check, key string) error {
		_, err := s.Commit(ctx, checks, []kv.Write{kv.Put(key, nil)})
		return err
	}
	if err := commit(nil, "p/a"); err != nil {
		t.Fatal(err)
	}
	if err := commit(nil, "other"); err != nil {
		t.Fatal(err)
	}
	page, err := s.Scan(ctx, kv.Range{Prefix: "p/"})
	if err != nil {
		t.Fatal(err)
	}
	s.pages = seenPages{}
	if err := commit([]kv.Check{kv.PrefixUnchanged("p/", page.Revision)}, "q"); err != nil {
		t.Errorf("an unchanged prefix: %v", err)
	}
	s.pages = seenPages{}
	if err := commit([]kv.Check{kv.PrefixUnchanged("p/", page.Revision)}, "p/b"); err != nil {
		t.Errorf("an unchanged prefix, the stream moved on: %v", err)
	}
	s.pages = seenPages{}
	if err := commit([]kv.Check{kv.PrefixUnchanged("p/", page.Revision)}, "q"); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("a changed prefix: %v, want ErrConflict", err)
	}
	// A page that is older than the stream remembers deletions never holds.
	page, err = s.Scan(ctx, kv.Range{Prefix: "p/"})
	if err != nil {
		t.Fatal(err)
	}
	key := pageKey{"p/", page.Revision}
	facts, _ := s.pages.get(key)
	facts.at = facts.at.Add(-pageAge - time.Second)
	s.pages.put(key, facts)
	if err := commit([]kv.Check{kv.PrefixUnchanged("p/", page.Revision)}, "q"); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("a page from long ago: %v, want ErrConflict", err)
	}
}

// TestMalformed puts messages into the stream that this package did not write.
func TestMalformed(t *testing.T) {
	t.Parallel()
	s, nc := newBucket(t, Bucket{})
	f, err := s.Watch(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.publish(t.Context(), &nats.Msg{Subject: s.subject("bad"), Data: []byte("no envelope")}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "bad"); !errors.Is(err, errMalformed) {
		t.Errorf("Get: %v", err)
	}
	if _, err := s.Scan(t.Context(), kv.Range{}); !errors.Is(err, errMalformed) {
		t.Errorf("Scan: %v", err)
	}
	if _, err := f.Next(t.Context()); !errors.Is(err, errMalformed) {
		t.Errorf("Next: %v", err)
	}
	if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.Delete("bad")}); err != nil {
		t.Errorf("delete it: %v", err)
	}
	if _, err := s.Scan(t.Context(), kv.Range{}); err != nil {
		t.Errorf("Scan after it was deleted: %v", err)
	}
	if nc.IsClosed() {
		t.Error("the connection was closed")
	}
}

// TestDeleteOnFullStream fills a stream to its last byte: a deletion must
// still fit, at whatever size of value.
func TestDeleteOnFullStream(t *testing.T) {
	t.Parallel()
	s, nc := newBucket(t, Bucket{})
	ctx := t.Context()
	for _, key := range []string{"empty", "small", "checked"} {
		if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put(key, []byte(key)[:len(key)-5])}); err != nil {
			t.Fatal(err)
		}
	}
	rev, err := s.Commit(ctx, nil, []kv.Write{kv.Put("checked", nil)})
	if err != nil {
		t.Fatal(err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	info, err := s.info(ctx)
	if err != nil {
		t.Fatal(err)
	}
	full := s.config()
	full.MaxBytes = int64(info.State.Bytes)
	if _, err := js.UpdateStream(ctx, full); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(ctx, nil, []kv.Write{kv.Put("new", nil)}); !errors.Is(err, kv.ErrUnavailable) {
		t.Fatalf("Put on a full stream: %v, want ErrUnavailable", err)
	}
	for _, key := range []string{"empty", "small"} {
		if _, err := s.Commit(ctx, nil, []kv.Write{kv.Delete(key)}); err != nil {
			t.Errorf("Delete %s on a full stream: %v", key, err)
		}
	}
	if _, err := s.Commit(ctx, []kv.Check{kv.Unchanged("checked", rev)}, []kv.Write{kv.Delete("checked")}); err != nil {
		t.Errorf("Delete with a check on a full stream: %v", err)
	}
}
