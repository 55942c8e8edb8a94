package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
)

// moving is a store whose node may be stopped and started: until the new one
// is there, the old one answers that it is unavailable.
type moving struct{ now atomic.Pointer[Store] }

// Get implements [kv.Store].
func (m *moving) Get(ctx context.Context, key string) (kv.Entry, error) {
	return m.now.Load().Get(ctx, key)
}

// Scan implements [kv.Store].
func (m *moving) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	return m.now.Load().Scan(ctx, r)
}

// Commit implements [kv.Store].
func (m *moving) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	return m.now.Load().Commit(ctx, checks, writes)
}

// Watch implements [kv.Store].
func (m *moving) Watch(ctx context.Context, prefix string, after kv.Revision) (kv.Feed, error) {
	return m.now.Load().Watch(ctx, prefix, after)
}

// Close implements [kv.Store].
func (m *moving) Close() error { return m.now.Load().Close() }

// lead makes a node the leader of a bucket's stream, by name.
func (c *testCluster) lead(s *Store, node string) {
	c.t.Helper()
	for end := time.Now().Add(20 * time.Second); ; {
		info, err := s.info(context.Background())
		if err == nil && info.Cluster.Leader == node {
			return
		}
		if time.Now().After(end) {
			c.t.Fatalf("%s does not become the leader of %s: %v", node, s.stream, err)
		}
		body := fmt.Sprintf(`{"placement":{"preferred":%q}}`, node)
		_, _ = s.nc.Request("$JS.API.STREAM.LEADER.STEPDOWN."+s.stream, []byte(body), time.Second) // tried again
		time.Sleep(50 * time.Millisecond)
	}
}

// witness follows a feed and a writer: what the writer was told and what the
// feed delivered must fit.
type witness struct {
	feed kv.Feed
	got  map[string]kv.Revision
	last kv.Revision
}

// until reads the feed up to a key.
func (w *witness) until(t *testing.T, key string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for {
		ev, err := w.feed.Next(ctx)
		if err != nil {
			t.Errorf("the feed ended before %s: %v", key, err)
			return
		}
		if ev.Entry.Revision <= w.last {
			t.Errorf("the feed delivered revision %d after %d", ev.Entry.Revision, w.last)
		}
		w.last = ev.Entry.Revision
		w.got[ev.Entry.Key] = ev.Entry.Revision
		if ev.Entry.Key == key {
			return
		}
	}
}

// TestNodeLoss is a bad day of a cluster: the leader, a process of its own, is
// killed under load and started again, then another node is restarted. All the
// while callers read and write on the other nodes, and two feeds follow. The
// history must be linearizable, and the feeds complete and in order.
func TestNodeLoss(t *testing.T) {
	t.Parallel()
	c := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, 3), nodes: make([]*Server, 3)}
	started := make(chan *child, 1)
	go func() { started <- startChild(t, childOptions{Server: c.options(2)}) }()
	c.startAll(0, 1)
	process := <-started
	if t.Failed() {
		t.FailNow()
	}
	stores := []*moving{{}, {}}
	open := func(i int) { stores[i].now.Store(c.open(i, Bucket{Name: "site"})) }
	open(0)
	open(1)
	witnesses := []*witness{}
	for i := range stores {
		feed, err := stores[i].Watch(t.Context(), "", 0)
		if err != nil {
			t.Fatal(err)
		}
		defer feed.Close()
		witnesses = append(witnesses, &witness{feed: feed, got: map[string]kv.Revision{}})
	}
	stop, acked := make(chan struct{}), make(chan map[string]kv.Revision, 1)
	go func() { acked <- writeUntil(stop, stores[0].now.Load()) }()

	go func() {
		defer close(stop)
		c.lead(stores[0].now.Load(), "n2")
		time.Sleep(500 * time.Millisecond)
		process.kill()
		time.Sleep(300 * time.Millisecond)
		startChild(t, childOptions{Server: c.options(2)})
		time.Sleep(300 * time.Millisecond)
		c.stop(1)
		c.start(1)
		open(1)
		time.Sleep(300 * time.Millisecond)
	}()
	kvtest.Linearizable(t, kvtest.Load{
		Stores: []kv.Store{stores[0], stores[1]}, Callers: 4, Until: stop, Pause: 10 * time.Millisecond, Timeout: 15 * time.Second,
	})
	written := <-acked
	if _, err := stores[0].Commit(t.Context(), nil, []kv.Write{kv.Put("end", nil)}); err != nil {
		t.Fatal(err)
	}
	// The second feed went down with its node; it is resumed from where it was.
	resumeAt := readUntilLost(t, witnesses[1])
	feed, err := stores[1].Watch(t.Context(), "", resumeAt)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	witnesses[1].feed = feed
	for i, w := range witnesses {
		w.until(t, "end")
		for key, rev := range written {
			if w.got[key] != rev {
				t.Errorf("feed %d: %s is at revision %d, its writer was told %d", i, key, w.got[key], rev)
			}
		}
	}
	t.Logf("%d acknowledged writes on the feeds", len(written))
}

// startAll starts nodes side by side.
func (c *testCluster) startAll(nodes ...int) {
	done := make(chan struct{})
	for _, i := range nodes {
		go func() { c.start(i); done <- struct{}{} }()
	}
	for range nodes {
		<-done
	}
}

// writeUntil writes new keys until stop is closed, and returns those that were
// acknowledged with their revisions.
func writeUntil(stop <-chan struct{}, s *Store) map[string]kv.Revision {
	acked := map[string]kv.Revision{}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return acked
		default:
		}
		key := fmt.Sprint("feed/", i)
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		rev, err := s.Commit(ctx, nil, []kv.Write{kv.Put(key, nil)})
		cancel()
		if err == nil {
			acked[key] = rev
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// readUntilLost reads a feed whose store was closed under it to its end, and
// returns the revision from which another can go on.
func readUntilLost(t *testing.T, w *witness) kv.Revision {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for {
		ev, err := w.feed.Next(ctx)
		if err != nil {
			if !errors.Is(err, kv.ErrUnavailable) && !errors.Is(err, kv.ErrClosed) {
				t.Errorf("the feed of a node that went down: %v, want ErrUnavailable or ErrClosed", err)
			}
			return w.last
		}
		w.last = ev.Entry.Revision
		w.got[ev.Entry.Key] = ev.Entry.Revision
	}
}
