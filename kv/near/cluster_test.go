package near_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/lectern-lms/lectern/kv/near"
)

// nodes are three embedded servers that hold one bucket.
type nodes struct {
	t     *testing.T
	dir   string
	peers []string
	up    [3]*jetstream.Server
}

// startNodes starts all three.
func startNodes(t *testing.T) *nodes {
	t.Helper()
	n := &nodes{t: t, dir: t.TempDir()}
	for range n.up {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		n.peers = append(n.peers, l.Addr().String())
	}
	t.Cleanup(func() { n.stop(0, 1, 2) })
	return n
}

// start starts some of them and waits until they have a quorum.
func (n *nodes) start(which ...int) {
	n.t.Helper()
	var wg sync.WaitGroup
	for _, i := range which {
		wg.Go(func() {
			srv, err := jetstream.StartServer(jetstream.ServerOptions{
				Dir: fmt.Sprint(n.dir, "/", i), Name: fmt.Sprint("n", i), Logger: slog.New(slog.DiscardHandler), SyncInterval: time.Minute,
				Cluster: &jetstream.Cluster{Name: "near", Addr: n.peers[i], Peers: n.peers, Secrets: []string{"a secret of the tests that is long enough"}},
			})
			if err != nil {
				n.t.Errorf("node %d: %v", i, err)
				return
			}
			n.up[i] = srv
			ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
			defer cancel()
			if err := srv.AwaitQuorum(ctx); err != nil {
				n.t.Errorf("node %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n.t.Failed() {
		n.t.FailNow()
	}
}

// stop stops some of them.
func (n *nodes) stop(which ...int) {
	var wg sync.WaitGroup
	for _, i := range which {
		if srv := n.up[i]; srv != nil {
			n.up[i] = nil
			wg.Go(srv.Shutdown)
		}
	}
	wg.Wait()
}

// member opens a near cache over the bucket on a node.
func (n *nodes) member(i int) *near.Store {
	n.t.Helper()
	nc, err := n.up[i].Connect("test")
	if err != nil {
		n.t.Fatal(err)
	}
	s, err := jetstream.Open(n.t.Context(), nc, jetstream.Bucket{Name: "near", Replicas: 3, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(nc.Close)
	return open(n.t, s, quiet())
}

// clusterRounds is how often the cluster's test writes and takes back.
const clusterRounds = 100

// TestOnACluster writes and takes back through members on three nodes: after
// the fence all of them know. Then two nodes stop: the third, which may have
// been the leader, answers for no longer than a Lease, and again when they are
// back.
func TestOnACluster(t *testing.T) {
	t.Parallel()
	n := startNodes(t)
	n.start(0, 1, 2)
	members := []*near.Store{n.member(0), n.member(1), n.member(2)}
	ctx := t.Context()
	for i := range clusterRounds {
		by, value := members[i%3], fmt.Sprint(i)
		fence(t, by, put(t, by, "k", value))
		for j, m := range members {
			if got := read(ctx, m, "k"); got != value {
				t.Fatalf("round %d: node %d has %q", i, j, got)
			}
		}
		rev, err := by.Commit(ctx, nil, []kv.Write{kv.Delete("k")})
		if err != nil {
			t.Fatal(err)
		}
		fence(t, by, rev)
		for j, m := range members {
			if got := read(ctx, m, "k"); got != "" {
				t.Fatalf("round %d: node %d has %q after it was deleted", i, j, got)
			}
		}
	}
	put(t, members[1], "k", "last")
	n.stop(1, 2)
	stopped := time.Now()
	for {
		begun := time.Now()
		_, err := members[0].Get(ctx, "k")
		if errors.Is(err, kv.ErrUnavailable) {
			break
		}
		if err != nil || begun.Sub(stopped) > near.Lease {
			t.Fatalf("without a quorum for %v: %v", begun.Sub(stopped), err)
		}
		time.Sleep(5 * time.Millisecond)
	}
	n.start(1, 2)
	for end := time.Now().Add(20 * time.Second); read(ctx, members[0], "k") != "last"; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the member does not answer again")
		}
	}
}
