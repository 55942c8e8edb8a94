package jetstream

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// TestWhoMayJoin starts two of three nodes and changes one thing about the
// second: the first must not take it, and say why.
func TestWhoMayJoin(t *testing.T) {
	t.Parallel()
	const old = "the secret of last year, long enough"
	for name, test := range map[string]struct {
		first, second []string
		change        func(*ServerOptions)
		says          string // "" if they belong together
	}{
		"the same":               {first: []string{testSecret}, second: []string{testSecret}},
		"a secret being changed": {first: []string{testSecret, old}, second: []string{old, testSecret}},
		"another secret":         {first: []string{testSecret}, second: []string{old}, says: "another SECRET_KEY"},
		"only the old one":       {first: []string{testSecret}, second: []string{old, testSecret}, says: "another SECRET_KEY"},
		"another cluster": {first: []string{testSecret}, second: []string{testSecret}, says: "belongs to cluster",
			change: func(o *ServerOptions) { o.Cluster.Name = "other" }},
		"the same name": {first: []string{testSecret}, second: []string{testSecret}, says: "has the name",
			change: func(o *ServerOptions) { o.Name = "n0" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, 3)}
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			var nodes []*Server
			for i, secrets := range [][]string{test.first, test.second} {
				o := c.options(i)
				o.Cluster.Secrets = secrets
				if i == 1 && test.change != nil {
					test.change(&o)
				}
				srv, err := StartServer(o)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(srv.Shutdown)
				nodes = append(nodes, srv)
			}
			first, want := nodes[0], 1
			if test.says == "" {
				test.says, want = "2 of 3 nodes", 2
			}
			for ctx.Err() == nil && !strings.Contains(first.quorumFault(), test.says) {
				time.Sleep(10 * time.Millisecond)
			}
			if fault := first.quorumFault(); !strings.Contains(fault, test.says) || len(first.Nodes()) != want {
				t.Errorf("the first node says %q with the nodes %q; want %q and %d nodes", fault, first.Nodes(), test.says, want)
			}
		})
	}
}

// TestRoutePortTakesNobodyElse knocks at a node's port for the other nodes.
func TestRoutePortTakesNobodyElse(t *testing.T) {
	t.Parallel()
	c := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, 3)}
	srv, err := StartServer(c.options(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	if nc, err := nats.Connect("nats://"+c.peers[0], nats.Timeout(time.Second)); err == nil {
		t.Error("a client without a certificate was taken")
		nc.Close()
	}
	stranger, err := newRouteTLS("n1", &Cluster{Name: "test", Secrets: []string{"another secret that is long enough"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, config := range map[string]*tls.Config{
		"no certificate":        {InsecureSkipVerify: true},
		"a foreign certificate": {InsecureSkipVerify: true, Certificates: []tls.Certificate{stranger.own}},
		"an old protocol":       {InsecureSkipVerify: true, Certificates: []tls.Certificate{srv.routes.own}, MaxVersion: tls.VersionTLS12},
	} {
		if err := knock(c.peers[0], config); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := knock(c.peers[0], srv.routes.config()); err != nil {
		t.Errorf("with the secret: %v", err)
	}
}

// knock connects to a route port and sees whether it is let in: the server
// then sends the first line, else it closes the connection.
func knock(addr string, config *tls.Config) error {
	conn, err := (&tls.Dialer{Config: config}).Dial("tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 4))
	return err
}

// TestNoQuorum starts one node of three: the wait ends with the context and
// says what is missing.
func TestNoQuorum(t *testing.T) {
	t.Parallel()
	c := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, 3)}
	srv, err := StartServer(c.options(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	err = srv.AwaitQuorum(ctx)
	if err == nil {
		t.Fatal("one node of three has a quorum")
	}
	for _, want := range []string{"cluster test", "1 of 3", "n0", "3 are needed for the first start", c.peers[1], c.peers[2]} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q: %v", want, err)
		}
	}
}

// TestClusterOptions goes through what a cluster is refused for at once.
func TestClusterOptions(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	good := Cluster{Name: "c", Addr: freeAddrs(t, 1)[0], Peers: []string{"a:1", "b:1", "c:1"}, Secrets: []string{testSecret}}
	for name, test := range map[string]struct {
		change func(*Cluster)
		node   string
		says   string
	}{
		"two nodes":      {func(c *Cluster) { c.Peers = c.Peers[:2] }, "n", "needs three nodes"},
		"one node":       {func(c *Cluster) { c.Peers = nil }, "n", "needs three nodes"},
		"ten nodes":      {func(c *Cluster) { c.Peers = make([]string, 10) }, "n", "the most is 9"},
		"no secret":      {func(c *Cluster) { c.Secrets = nil }, "n", "anybody could join"},
		"empty secret":   {func(c *Cluster) { c.Secrets = []string{""} }, "n", "anybody could join"},
		"no node name":   {func(*Cluster) {}, "", "ServerOptions.Name"},
		"no name":        {func(c *Cluster) { c.Name = "" }, "n", "Cluster.Name"},
		"no port":        {func(c *Cluster) { c.Addr = "127.0.0.1" }, "n", "host:port"},
		"port in use":    {func(c *Cluster) { c.Addr = taken.Addr().String() }, "n", "stop the program that has it"},
		"port too large": {func(c *Cluster) { c.Addr = ":70000" }, "n", "host:port"},
		"bad peer":       {func(c *Cluster) { c.Peers = []string{"a:1", "b:1", "c"} }, "n", "host:port"},
	} {
		c := good
		test.change(&c)
		srv, err := StartServer(ServerOptions{Dir: t.TempDir(), Name: test.node, Cluster: &c, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			srv.Shutdown()
		}
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, test.says)
		}
		if wants := len(c.Peers) < 3; errors.Is(err, ErrTwoNodes) != wants {
			t.Errorf("%s: is ErrTwoNodes is %v", name, !wants)
		}
	}
}

// TestMarker starts servers on directories that belong to others: each is
// refused, and the data stay.
func TestMarker(t *testing.T) {
	t.Parallel()
	c := &testCluster{t: t, dir: t.TempDir(), peers: freeAddrs(t, 3)}
	start := func(o ServerOptions) error {
		srv, err := StartServer(o)
		if err == nil {
			srv.Shutdown()
		}
		return err
	}
	node := c.options(0)
	if err := start(node); err != nil {
		t.Fatal(err)
	}
	alone := ServerOptions{Dir: t.TempDir(), Logger: node.Logger}
	if err := start(alone); err != nil {
		t.Fatal(err)
	}
	change := func(o ServerOptions, f func(*ServerOptions)) ServerOptions {
		if o.Cluster != nil {
			cluster := *o.Cluster
			o.Cluster = &cluster
		}
		f(&o)
		return o
	}
	damaged := change(c.options(2), func(o *ServerOptions) {})
	if err := os.MkdirAll(damaged.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(damaged.Dir, markerFile), []byte(`{"cluster"`), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		options ServerOptions
		says    string
	}{
		"a node's data without a cluster": {change(node, func(o *ServerOptions) { o.Cluster = nil }), `node "n0" of cluster "test"`},
		"another node's data":             {change(node, func(o *ServerOptions) { o.Name = "n1" }), "use the names of before"},
		"another cluster's data":          {change(node, func(o *ServerOptions) { o.Cluster.Name = "new" }), "use the names of before"},
		"a single site's data":            {change(alone, func(o *ServerOptions) { o.Cluster, o.Name = node.Cluster, "n0" }), "a site on one node"},
		"a damaged marker":                {damaged, "is damaged"},
	} {
		if err := start(test.options); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want an error that says %q", name, err, test.says)
		}
	}
	if err := errors.Join(start(node), start(alone)); err != nil {
		t.Errorf("the right servers do not start any more: %v", err)
	}
}

// TestRollingRestart stops and starts each node in turn, as an upgrade does,
// while another writes: leaders move first, so no write fails, and each node
// comes back.
func TestRollingRestart(t *testing.T) {
	t.Parallel()
	c := startCluster(t, 3)
	stores := make([]*Store, 3)
	for i := range stores {
		stores[i] = c.open(i, Bucket{Name: "site"})
	}
	n := 0
	for i := range c.nodes {
		stop, done := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			for ; ; n++ {
				ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
				_, err := stores[(i+1)%3].Commit(ctx, nil, []kv.Write{kv.Put("n", encodeValue(nil, zeroTime)), kv.Put("m", nil)})
				cancel()
				if err != nil {
					t.Errorf("while node %d was restarted: %v", i, err)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}()
		time.Sleep(200 * time.Millisecond)
		began := time.Now()
		c.stop(i)
		stopped := time.Now()
		c.start(i)
		joined := time.Now()
		stores[i] = c.open(i, Bucket{Name: "site"})
		t.Logf("node %d: stopped in %v, joined in %v, opened in %v", i, stopped.Sub(began), joined.Sub(stopped), time.Since(joined))
		close(stop)
		<-done
	}
	t.Logf("%d writes", n)
}
