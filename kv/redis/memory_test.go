package redis_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// count asks the server for a number.
func count(t *testing.T, srv *redistest.Server, args ...string) int {
	t.Helper()
	n, err := strconv.Atoi(srv.Do(args...))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// TestForgetting sees that tombstones go when they are old, with all that the
// bucket holds of them, and that nobody takes their absence for no change.
func TestForgetting(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Short(redis.Bucket{Name: "b"}, 1500*time.Millisecond, 20*time.Second))
	stays := put(t, s, "p/stays", "1")
	page, err := s.Scan(t.Context(), kv.Range{Prefix: "p/"})
	if err != nil {
		t.Fatal(err)
	}
	watching := watch(t, s, stays)
	var writes []kv.Write
	for i := range 200 {
		writes = append(writes, kv.PutTTL(fmt.Sprint("p/expires/", i), []byte("1"), time.Second), kv.Delete(fmt.Sprint("p/deleted/", i)))
	}
	if _, err := s.Commit(t.Context(), nil, writes); err != nil {
		t.Fatal(err)
	}
	if n := count(t, srv, "HLEN", "{lectern:b}:data"); n != 401 {
		t.Errorf("%d records, want 401", n)
	}
	eventually(t, "tombstones stay", func() bool { return count(t, srv, "HLEN", "{lectern:b}:data") == 1 })
	for part, want := range map[string]int{"index": 1, "order": 1, "due": 0} {
		if n := count(t, srv, "ZCARD", "{lectern:b}:"+part); n != want {
			t.Errorf("%s has %d keys, want %d", part, n, want)
		}
	}
	_, err = s.Watch(t.Context(), "", stays)
	fails(t, "Watch from before what is forgotten", err, kv.ErrUnavailable)
	_, err = s.Commit(t.Context(), []kv.Check{kv.PrefixUnchanged("p/", page.Revision)}, []kv.Write{kv.Put("x", nil)})
	fails(t, "a check on the old page", err, kv.ErrConflict)
	// A feed that slept through all of it must say so.
	ends(t, watching)
	f := watch(t, s, 0)
	if ev := next(t, f, "p/stays"); ev.Entry.Revision != stays {
		t.Errorf("a feed from the beginning delivered %+v", ev)
	}
}

// TestIDsAreForgotten sees that commit ids take no memory for long, and that a
// commit that comes too late is refused.
func TestIDsAreForgotten(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Short(redis.Bucket{Name: "b"}, time.Minute, 100*time.Millisecond))
	for i := range 50 {
		put(t, s, "a", fmt.Sprint(i))
	}
	ids := func() int {
		return count(t, srv, "HLEN", "{lectern:b}:ids0") + count(t, srv, "HLEN", "{lectern:b}:ids1")
	}
	if n := ids(); n < 1 || n > 50 {
		t.Errorf("%d ids after 50 commits", n)
	}
	time.Sleep(450 * time.Millisecond) // two turns
	put(t, s, "a", "last")
	if n := ids(); n != 1 {
		t.Errorf("%d ids, want that of the last commit", n)
	}
	srv.Freeze()
	time.AfterFunc(500*time.Millisecond, srv.Thaw)
	_, err := s.Commit(within(t, 5*time.Second), nil, []kv.Write{kv.Put("a", []byte("late"))})
	fails(t, "a late commit", err, kv.ErrUnavailable)
	wants(t, s, "a", "last")
}
