package redis_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/redis"
	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// TestLostAnswer breaks the connection between a commit and its answer: it has
// happened once, and its caller learns that it did.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	p := redistest.NewProxy(t, srv.Addr())
	s := open(t, connect(t, p.URL()), redis.Bucket{})
	rev := put(t, s, "n", "0")
	for i := 1; i <= 5; i++ {
		marker := fmt.Sprint("marker", i)
		p.LoseAnswer(marker)
		after := put(t, s, "n", marker, kv.Unchanged("n", rev))
		if e := wants(t, s, "n", marker); e.Revision != after || after != rev+1 {
			t.Errorf("round %d: the commit returned %d, the store has %d, before it %d", i, after, e.Revision, rev)
		}
		rev = after
		if p.Lost() != i {
			t.Fatalf("%d answers were lost in round %d", p.Lost(), i)
		}
	}
	// A blind write is not made again over a newer one.
	f := watch(t, s, rev)
	p.LoseAnswer("blind")
	put(t, s, "n", "blind")
	ev := next(t, f, "n")
	if ev.Entry.Revision != rev+1 {
		t.Errorf("the blind write has revision %d after %d", ev.Entry.Revision, rev)
	}
}

// TestConnectionsCut breaks all connections, the feed's too, over and over
// while writers count: nothing is lost or counted twice.
func TestConnectionsCut(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	p := redistest.NewProxy(t, srv.Addr())
	s := open(t, connect(t, p.URL()), redis.Bucket{})
	f := watch(t, s, 0)
	const writers, each = 4, 40
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			key := fmt.Sprint("n", w)
			rev := kv.Revision(0)
			for i := range each {
				after, err := s.Commit(within(t, 20*time.Second), []kv.Check{kv.Unchanged(key, rev)}, []kv.Write{kv.Put(key, fmt.Append(nil, i))})
				if err != nil {
					t.Errorf("writer %d, round %d: %v", w, i, err)
					return
				}
				rev = after
				time.Sleep(2 * time.Millisecond)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		wg.Wait()
		close(done)
	}()
	for cutting := true; cutting; {
		select {
		case <-done:
			cutting = false
		case <-time.After(15 * time.Millisecond):
			p.Cut()
		}
	}
	got, last := map[string]string{}, kv.Revision(0)
	for len(got) < writers || strings.Count(fmt.Sprint(got), fmt.Sprint(":", each-1)) < writers {
		ev, err := f.Next(within(t, 10*time.Second))
		if err != nil || ev.Entry.Revision <= last {
			t.Fatalf("the feed delivered %v, revision %d after %d; so far %v", err, ev.Entry.Revision, last, got)
		}
		got[ev.Entry.Key], last = string(ev.Entry.Value), ev.Entry.Revision
	}
}

// TestScriptFlush takes the scripts away: calls go on, feeds too.
func TestScriptFlush(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Bucket{})
	f := watch(t, s, put(t, s, "a", "0"))
	for i := range 3 {
		srv.Do("SCRIPT", "FLUSH")
		put(t, s, "a", fmt.Sprint(i))
		srv.Do("SCRIPT", "FLUSH")
		wants(t, s, "a", fmt.Sprint(i))
		next(t, f, "a")
	}
}

// TestFrozenServer stops the server for a while: calls end with their
// deadlines, and a commit that waited happens once.
func TestFrozenServer(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Bucket{})
	rev := put(t, s, "a", "0")
	f := watch(t, s, rev)
	srv.Freeze()
	begin := time.Now()
	_, err := s.Get(within(t, 100*time.Millisecond), "a")
	fails(t, "Get", err, kv.ErrUnavailable)
	_, err = s.Scan(within(t, 100*time.Millisecond), kv.Range{})
	fails(t, "Scan", err, kv.ErrUnavailable)
	_, err = s.Watch(within(t, 100*time.Millisecond), "", 0)
	fails(t, "Watch", err, kv.ErrUnavailable)
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("three calls of 100 ms took %v", took)
	}
	time.AfterFunc(500*time.Millisecond, srv.Thaw)
	if after := put(t, s, "a", "1", kv.Unchanged("a", rev)); after != rev+1 {
		t.Errorf("the commit has revision %d after %d", after, rev)
	}
	next(t, f, "a")
}

// TestFullMemory fills the server: writes are refused as a whole with their
// reason, reads and deletions go on.
func TestFullMemory(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Bucket{})
	rev := put(t, s, "a", "1")
	srv.Do("CONFIG", "SET", "maxmemory", "1mb")
	_, err := s.Commit(within(t, time.Second), nil, []kv.Write{kv.Delete("a"), kv.Put("b", []byte("1"))})
	fails(t, "Commit", err, redis.ErrFull)
	if e := wants(t, s, "a", "1"); e.Revision != rev {
		t.Errorf("half of the refused commit was done: %+v", e)
	}
	if _, err := s.Commit(within(t, time.Second), []kv.Check{kv.Unchanged("a", rev)}, []kv.Write{kv.Delete("a")}); err != nil {
		t.Errorf("Delete: %v", err)
	}
	_, err = s.Get(within(t, time.Second), "a")
	fails(t, "Get after the deletion", err, kv.ErrNotFound)
	srv.Do("CONFIG", "SET", "maxmemory", "0")
	put(t, s, "b", "1")
}

// TestForeignHands changes a bucket from outside: what is not ours is an error
// that says so.
func TestForeignHands(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	c := connect(t, srv.URL())
	for name, tt := range map[string]struct {
		change []string
		kind   error
		says   string
	}{
		"a part deleted":      {[]string{"DEL", "{lectern:%s}:order"}, redis.ErrDamaged, "lost a part"},
		"due times deleted":   {[]string{"DEL", "{lectern:%s}:due"}, redis.ErrDamaged, "lost a part"},
		"the state deleted":   {[]string{"DEL", "{lectern:%s}:meta"}, redis.ErrDamaged, "lost a part"},
		"a part of a program": {[]string{"SET", "{lectern:%s}:data", "x"}, redis.ErrDamaged, "another program"},
		"a newer format":      {[]string{"HSET", "{lectern:%s}:meta", "format", "2"}, redis.ErrDamaged, "newer Lectern"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := strings.ReplaceAll(name, " ", "-")
			s := open(t, c, redis.Bucket{Name: bucket})
			if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.PutTTL("a", nil, time.Hour)}); err != nil {
				t.Fatal(err)
			}
			args := append([]string{}, tt.change...)
			args[1] = fmt.Sprintf(args[1], bucket)
			srv.Do(args...)
			_, err := s.Commit(within(t, time.Second), nil, []kv.Write{kv.Put("b", nil)})
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Commit: %v; want it to say %q", err, tt.says)
			}
			if _, err = redis.Open(within(t, time.Second), c, redis.Bucket{Name: bucket}); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("Open: %v; want it to say %q", err, tt.says)
			}
		})
	}
	s := open(t, c, redis.Bucket{Name: "values"})
	put(t, s, "a", "1")
	srv.Do("HSET", "{lectern:values}:data", "a", "what is not ours, though long enough")
	_, err := s.Get(within(t, time.Second), "a")
	if err == nil || !strings.Contains(err.Error(), "another program wrote it") || !strings.Contains(err.Error(), `"a"`) {
		t.Errorf("Get: %v", err)
	}
	put(t, s, "a", "2")
	wants(t, s, "a", "2")
}

// TestVolatileDamage begins a bucket of sessions anew when a part is lost.
func TestVolatileDamage(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := open(t, connect(t, srv.URL()), redis.Bucket{Name: "sessions", Volatile: true})
	old := put(t, s, "a", "1")
	f := watch(t, s, old)
	srv.Do("DEL", "{lectern:sessions}:index")
	if rev := put(t, s, "b", "1"); rev <= old {
		t.Errorf("revision %d after %d", rev, old)
	}
	ends(t, f)
	_, err := s.Get(within(t, time.Second), "a")
	fails(t, "Get", err, kv.ErrNotFound)
}
