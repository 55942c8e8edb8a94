package jetstream

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
)

// testSecret is what the nodes of the tests know.
const testSecret = "a secret of the tests that is long enough"

// testCluster is a cluster of real servers in this process.
type testCluster struct {
	t     testing.TB
	dir   string
	peers []string
	nodes []*Server // nil while stopped
}

// freeAddrs are addresses on the loopback interface that were free just now.
func freeAddrs(t testing.TB, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		addrs[i] = l.Addr().String()
	}
	return addrs
}

// startCluster starts n nodes and waits until they have a quorum.
func startCluster(t testing.TB, n int) *testCluster {
	t.Helper()
	c := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, n), nodes: make([]*Server, n)}
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { c.start(i) })
	}
	wg.Wait()
	t.Cleanup(func() {
		for i := range c.nodes {
			wg.Go(func() { c.stop(i) })
		}
		wg.Wait()
	})
	return c
}

// options are those of one node. The dozens of buckets of a test run would
// otherwise be forced to the disk thousands of times a second.
func (c *testCluster) options(i int) ServerOptions {
	return ServerOptions{
		Dir: filepath.Join(c.dir, fmt.Sprint("n", i)), Name: fmt.Sprint("n", i), Logger: slog.New(slog.DiscardHandler), SyncInterval: time.Minute,
		Cluster: &Cluster{Name: "test", Addr: c.peers[i], Peers: c.peers, Secrets: []string{testSecret}},
	}
}

// start starts a node and waits for the quorum.
func (c *testCluster) start(i int) {
	srv, err := StartServer(c.options(i))
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		err = srv.AwaitQuorum(ctx)
	}
	if err != nil {
		c.t.Errorf("start node %d: %v", i, err)
		return
	}
	c.nodes[i] = srv
}

// stop stops a node as a process that was asked to stop does.
func (c *testCluster) stop(i int) {
	if c.nodes[i] != nil {
		c.nodes[i].Shutdown()
		c.nodes[i] = nil
	}
}

// open opens a bucket on a node, with a connection of its own.
func (c *testCluster) open(node int, b Bucket) *Store {
	c.t.Helper()
	nc, err := c.nodes[node].Connect("test")
	if err != nil {
		c.t.Fatalf("Connect: %v", err)
	}
	if b.Replicas == 0 {
		b.Replicas = Replicas(len(c.nodes))
	}
	if b.Name == "" {
		b.Name = fmt.Sprint("b", testBuckets.Add(1))
	}
	b.Logger = slog.New(slog.DiscardHandler)
	s, err := Open(context.Background(), nc, b)
	if err != nil {
		c.t.Fatalf("Open: %v", err)
	}
	c.t.Cleanup(func() {
		_ = s.Close() // never fails
		nc.Close()
	})
	return s
}

// TestConformanceOnCluster runs the suite of all adapters on three nodes.
func TestConformanceOnCluster(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	var next atomic.Int64
	kvtest.Run(t, func(t *testing.T) kv.Store { return c.open(int(next.Add(1)%3), Bucket{}) })
}

// BenchmarkCluster runs the benchmarks of all adapters on three nodes, by a
// node that leads and by one that follows.
func BenchmarkCluster(b *testing.B) {
	c := startCluster(b, 3)
	for name, node := range map[string]string{"Leader": "n0", "Follower": "n1"} {
		b.Run(name, func(b *testing.B) {
			kvtest.Bench(b, func(b *testing.B) kv.Store {
				s := c.open(0, Bucket{})
				c.lead(s, node)
				return s
			})
		})
	}
}
