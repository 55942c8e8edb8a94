package jetstream

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Times of a cluster.
const (
	// routePing finds another node that went away without a word in twice its
	// time; the server's own default is two minutes.
	routePing = 5 * time.Second
	// quorumPoll is how often AwaitQuorum looks, quorumTell how often it says
	// what it is waiting for.
	quorumPoll = 50 * time.Millisecond
	quorumTell = 3 * time.Second
	// transferTime is what the server allows for leaders to move to other nodes
	// before it stops; they take 0.02 to 0.3 s, and it always waits a second.
	transferTime = time.Second
)

// Cluster makes the server one of several that hold the same buckets. Each
// node has a [ServerOptions].Name of its own that never changes, since the
// others know it by that; the rest is the same on all nodes but for Addr.
type Cluster struct {
	// Name is the cluster's name.
	Name string
	// Addr is the host and port on which the other nodes reach this one; an
	// empty host means all interfaces.
	Addr string
	// Peers are the addresses of all nodes, this one included: three to nine.
	Peers []string
	// Secrets are what only the nodes know: at least one. Each node shows that
	// it knows the first, and takes others that know any of them.
	Secrets []string
}

// minNodes and maxNodes bound the size of a cluster: of two nodes none may
// stop, and each write waits for more than half of them.
const (
	minNodes = 3
	maxNodes = 9
)

// ErrTwoNodes says why a cluster of fewer than three nodes is refused.
var ErrTwoNodes = errors.New("jetstream: a cluster needs three nodes or more: of two, neither may stop, so they are worse than one")

// Replicas is how many nodes of a cluster of this size hold each bucket.
func Replicas(nodes int) int {
	switch {
	case nodes < minNodes:
		return 1
	case nodes < 5:
		return 3
	}
	return 5
}

// check refuses what cannot work.
func (c *Cluster) check(node string) error {
	switch n := len(c.Peers); {
	case n < minNodes:
		return fmt.Errorf("%w; Cluster.Peers holds %d addresses and must hold those of all nodes, this one too", ErrTwoNodes, n)
	case n > maxNodes:
		return fmt.Errorf("jetstream: Cluster.Peers holds %d addresses, the most is %d", n, maxNodes)
	case c.Name == "" || node == "":
		return errors.New("jetstream: a node of a cluster needs Cluster.Name and ServerOptions.Name")
	case len(c.Secrets) == 0 || c.Secrets[0] == "":
		return errors.New("jetstream: Cluster.Secrets is empty; anybody could join")
	}
	return nil
}

// apply puts the cluster's part into the server's options.
func (c *Cluster) apply(opts *server.Options, tls *routeTLS) error {
	host, port, err := splitAddr(c.Addr)
	if err != nil {
		return err
	}
	// The server would say it too, but as if the store directory were at fault.
	probe, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return fmt.Errorf("jetstream: the other nodes cannot be given the address %s: %w; stop the program that has it, or choose another of this machine", c.Addr, err)
	}
	probe.Close()
	opts.Cluster = server.ClusterOpts{
		Name: c.Name, Host: host, Port: port, NoAdvertise: true,
		TLSConfig: tls.config(), TLSTimeout: connectTimeout.Seconds(),
		PingInterval: routePing, MaxPingsOut: 2,
		Compression: server.CompressionOpts{Mode: server.CompressionOff},
	}
	// The server takes the number of routes for the size of the first quorum;
	// it finds out by itself which of them leads to itself.
	for _, peer := range c.Peers {
		if _, _, err := splitAddr(peer); err != nil {
			return err
		}
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats-route", Host: peer})
	}
	// The server moves its leaders away before it stops only while it listens
	// for clients.
	opts.DontListen = false
	opts.LameDuckDuration, opts.LameDuckGracePeriod = 2*transferTime, transferTime
	return nil
}

// splitAddr takes an address apart.
func splitAddr(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil || port < 1 || port > 65535 {
		return "", 0, fmt.Errorf("jetstream: the cluster address %q is not of the form host:port", addr)
	}
	if host == "" {
		host = "0.0.0.0"
	}
	return host, port, nil
}

// AwaitQuorum waits until more than half of the cluster's nodes (at the very
// first start: all) are connected and have elected a leader, and this one knows
// what they decided. Until then no bucket can be read or written. It logs what
// it waits for, and when ctx ends its error says what was missing. Without a
// cluster it returns at once.
func (s *Server) AwaitQuorum(ctx context.Context) error {
	if s.cluster == nil {
		return nil
	}
	poll := time.NewTicker(quorumPoll)
	defer poll.Stop()
	begin := time.Now()
	for told := begin; ; {
		if s.hasQuorum() {
			s.log.Info("the cluster has a quorum", "cluster", s.cluster.Name, "nodes", strings.Join(s.Nodes(), ","), "took", time.Since(begin).Round(time.Millisecond))
			return writeMarker(s.dir, marker{Cluster: s.cluster.Name, Node: s.name, Formed: true})
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return fmt.Errorf("jetstream: no quorum of cluster %s after %v: %s", s.cluster.Name, time.Since(begin).Round(time.Second), s.quorumFault())
		}
		if time.Since(told) >= quorumTell {
			told = time.Now()
			s.log.Info("waiting for the other nodes: " + s.quorumFault())
		}
	}
}

// hasQuorum tells whether the cluster has a leader that this node follows.
func (s *Server) hasQuorum() bool {
	info, err := s.nats.Jsz(nil)
	return err == nil && info.Meta != nil && info.Meta.Leader != "" && s.nats.JetStreamIsCurrent()
}

// quorumFault says which nodes are here, how many are needed, and what was
// found wrong with the others.
func (s *Server) quorumFault() string {
	nodes, all := s.Nodes(), len(s.cluster.Peers)
	needed, when := all, " for the first start of the cluster"
	if s.formed {
		needed, when = all/2+1, ""
	}
	text := fmt.Sprintf("%d of %d nodes are connected (%s), %d are needed%s", len(nodes), all, strings.Join(nodes, ", "), needed, when)
	if faults := s.routes.found(); len(faults) > 0 {
		return text + "; " + strings.Join(faults, "; ")
	}
	if len(nodes) < needed {
		return text + "; start the others, or see that they and this one reach each other at " + strings.Join(s.cluster.Peers, ", ")
	}
	return text + "; they are electing a leader"
}

// Nodes are the names of the nodes that are connected, this one first; nil
// without a cluster.
func (s *Server) Nodes() []string {
	if s.cluster == nil {
		return nil
	}
	var others []string
	routes, err := s.nats.Routez(nil)
	if err == nil {
		for _, r := range routes.Routes {
			if r.RemoteName != "" && !slices.Contains(others, r.RemoteName) {
				others = append(others, r.RemoteName)
			}
		}
	}
	slices.Sort(others)
	return append([]string{s.name}, others...)
}
