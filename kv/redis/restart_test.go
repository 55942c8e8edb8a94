package redis_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// TestRestartKeeps kills a server that syncs each write, and starts it again:
// nothing is lost, and feeds go on.
func TestRestartKeeps(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := open(t, connect(t, srv.URL()), redis.Bucket{})
	first := put(t, s, "a", "1")
	f := watch(t, s, first)
	last := put(t, s, "b", "1")
	srv.Kill()
	_, err := s.Get(within(t, 200*time.Millisecond), "a")
	fails(t, "Get while the server is down", err, kv.ErrUnavailable)
	_, err = s.Commit(within(t, 200*time.Millisecond), nil, []kv.Write{kv.Put("a", nil)})
	fails(t, "Commit while the server is down", err, kv.ErrUnavailable)
	srv.Restart()
	wants(t, s, "a", "1")
	after := put(t, s, "c", "1", kv.Unchanged("b", last))
	if after <= last {
		t.Errorf("revision %d after the restart, %d before", after, last)
	}
	next(t, f, "b")
	if ev := next(t, f, "c"); ev.Entry.Revision != after {
		t.Errorf("the event has revision %d, the commit %d", ev.Entry.Revision, after)
	}
	// What was scanned before need not hold, but must be told from now on.
	page, err := s.Scan(within(t, time.Second), kv.Range{})
	if err != nil || len(page.Entries) != 3 {
		t.Fatalf("Scan: %+v, %v", page, err)
	}
	put(t, s, "d", "1", kv.PrefixUnchanged("", page.Revision))
}

// lose is a way in which a bucket is gone.
var lose = map[string]func(*redistest.Server){
	"restarted":    func(srv *redistest.Server) { srv.Restart() },
	"emptied":      func(srv *redistest.Server) { srv.Do("FLUSHALL") },
	"emptied late": func(srv *redistest.Server) { srv.Do("FLUSHDB", "ASYNC") },
}

// TestLostVolatile loses a bucket of sessions: they are gone, feeds end, and the
// store goes on with revisions above the old ones.
func TestLostVolatile(t *testing.T) {
	t.Parallel()
	for name, gone := range lose {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t)
			s := open(t, connect(t, srv.URL()), redis.Bucket{Volatile: true})
			old := put(t, s, "a", "1")
			f := watch(t, s, old)
			gone(srv)
			_, err := s.Get(within(t, 10*time.Second), "a")
			fails(t, "Get", err, kv.ErrNotFound)
			ends(t, f)
			_, err = s.Watch(within(t, time.Second), "", old)
			fails(t, "Watch from a revision of the old bucket", err, kv.ErrUnavailable)
			_, err = s.Commit(within(t, time.Second), []kv.Check{kv.Unchanged("a", old)}, []kv.Write{kv.Put("a", nil)})
			fails(t, "a check on the old revision", err, kv.ErrConflict)
			_, err = s.Commit(within(t, time.Second), []kv.Check{kv.PrefixUnchanged("", old)}, []kv.Write{kv.Put("a", nil)})
			fails(t, "a check on an old page", err, kv.ErrConflict)
			f = watch(t, s, 0)
			if rev := put(t, s, "b", "1"); rev <= old {
				t.Errorf("revision %d in the new bucket, %d in the old", rev, old)
			}
			next(t, f, "b")
		})
	}
}

// TestLostRecords loses a bucket that must not be lost: every call says so,
// until the store is opened again or the bucket is back.
func TestLostRecords(t *testing.T) {
	t.Parallel()
	for name, gone := range lose {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := redistest.Start(t)
			c := connect(t, srv.URL())
			s := open(t, c, redis.Bucket{Name: "records"})
			old := put(t, s, "a", "1")
			f := watch(t, s, old)
			gone(srv)
			ctx := within(t, 10*time.Second)
			_, err := s.Get(ctx, "a")
			fails(t, "Get", err, redis.ErrReplaced)
			_, err = s.Scan(ctx, kv.Range{})
			fails(t, "Scan", err, redis.ErrReplaced)
			_, err = s.Commit(ctx, nil, []kv.Write{kv.Put("a", nil)})
			fails(t, "Commit", err, redis.ErrReplaced)
			_, err = s.Watch(ctx, "", 0)
			fails(t, "Watch", err, redis.ErrReplaced)
			ends(t, f)
			if n := srv.Do("DBSIZE"); n != "0" {
				t.Errorf("%s keys were written to the empty server", n)
			}
			again := open(t, c, redis.Bucket{Name: "records"})
			if rev := put(t, again, "a", "2"); rev <= old {
				t.Errorf("revision %d in the new bucket, %d in the old", rev, old)
			}
			// The first store sees another bucket than its own.
			_, err = s.Get(ctx, "a")
			fails(t, "Get of the first store", err, redis.ErrReplaced)
		})
	}
}

// TestBackAgain brings a bucket back that was away: its store goes on.
func TestBackAgain(t *testing.T) {
	t.Parallel()
	first, second := redistest.Start(t), redistest.Start(t)
	p := redistest.NewProxy(t, first.Addr())
	s := open(t, connect(t, p.URL()), redis.Bucket{})
	rev := put(t, s, "a", "1")
	p.Target(second.Addr())
	p.Cut()
	_, err := s.Get(within(t, 10*time.Second), "a")
	fails(t, "Get from an empty server", err, redis.ErrReplaced)
	p.Target(first.Addr())
	p.Cut()
	wants(t, s, "a", "1")
	if after := put(t, s, "a", "2", kv.Unchanged("a", rev)); after <= rev {
		t.Errorf("revision %d after %d", after, rev)
	}
}

// TestOlderCopy brings back the last snapshot: the process that saw what is
// lost ends its feeds, another goes on, and no revision is given out twice.
func TestOlderCopy(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Bucket{Name: "b"})
	base := put(t, s, "a", "1")
	srv.Do("SAVE")
	// The other process sees nothing after the snapshot.
	p := redistest.NewProxy(t, srv.Addr())
	other := open(t, connect(t, p.URL()), redis.Bucket{Name: "b"})
	behind := watch(t, other, base)
	p.Target("127.0.0.1:1")
	p.Cut()
	put(t, s, "a", "2")
	ahead := watch(t, s, base)
	lost := put(t, s, "a", "3")
	srv.Restart()
	wants(t, s, "a", "1")
	ends(t, ahead)
	_, err := s.Watch(within(t, time.Second), "", lost)
	fails(t, "Watch from a lost revision", err, kv.ErrUnavailable)
	_, err = s.Commit(within(t, time.Second), []kv.Check{kv.PrefixUnchanged("", lost)}, []kv.Write{kv.Put("x", nil)})
	fails(t, "a check on a lost page", err, kv.ErrConflict)
	p.Target(srv.Addr())
	rev := put(t, s, "a", "4", kv.Unchanged("a", base))
	if rev <= lost {
		t.Errorf("revision %d was given out again after %d", rev, lost)
	}
	if ev := next(t, behind, "a"); string(ev.Entry.Value) != "4" || ev.Entry.Revision != rev {
		t.Errorf("the feed that missed nothing delivered %+v", ev)
	}
	next(t, watch(t, s, base), "a")
}

// TestFailover lets a replica that is behind take over.
func TestFailover(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	link := redistest.NewProxy(t, primary.Addr())
	replica := redistest.StartReplica(t, strings.TrimPrefix(link.URL(), "redis://"))
	p := redistest.NewProxy(t, primary.Addr())
	s := open(t, connect(t, p.URL()), redis.Bucket{Name: "b"})
	base := put(t, s, "a", "1")
	eventually(t, "the replica does not have the first write", func() bool {
		return replica.Do("HGET", "{lectern:b}:meta", "rev") == fmt.Sprint(base)
	})
	f := watch(t, s, base)
	link.Target("127.0.0.1:1")
	link.Cut()
	lost := put(t, s, "a", "2")
	primary.Kill()
	// As long as it is a replica, nobody vouches for what it has.
	p.Target(replica.Addr())
	p.Cut()
	_, err := s.Get(within(t, 300*time.Millisecond), "a")
	fails(t, "Get from a replica", err, kv.ErrUnavailable)
	replica.Do("REPLICAOF", "NO", "ONE")
	wants(t, s, "a", "1")
	ends(t, f)
	if rev := put(t, s, "a", "3", kv.Unchanged("a", base)); rev <= lost {
		t.Errorf("revision %d was given out again after %d", rev, lost)
	}
}
