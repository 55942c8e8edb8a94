package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/kv/jetstream"
)

// quorumTime is how long a starting node waits for the others. Machines that
// are switched on together come up within it; a service manager starts a node
// that gave up again.
const quorumTime = 3 * time.Minute

// firstFill is how long the first of the nodes may take to set the site up
// before the others try too: compiling a handler on a busy machine included.
const firstFill = 30 * time.Second

// fillPatience lets the node go first that is first by name, so that not all
// nodes of a new cluster do the same work and only one can use it.
func fillPatience(store *jetstream.Server) time.Duration {
	nodes := store.Nodes()
	if len(nodes) == 0 || nodes[0] == slices.Min(nodes) {
		return 0
	}
	return firstFill
}

// startStore starts the node's embedded store, and in a cluster waits until
// there are enough other nodes to work with. If Redis holds everything there is
// none, and the result is nil.
func startStore(ctx context.Context, cfg config.Config, listen bool, log *slog.Logger) (*jetstream.Server, error) {
	dir := filepath.Join(cfg.DataDir, "store")
	if cfg.RedisURL != "" {
		if _, err := os.Stat(dir); err == nil {
			log.Warn("REDIS_URL is set: what the embedded store holds is not used; remove its directory if nobody needs it", "directory", dir)
		}
		return nil, nil
	}
	store, err := jetstream.StartServer(jetstream.ServerOptions{
		Dir: dir, SyncInterval: cfg.Sync.Interval, SyncAlways: cfg.Sync.Always,
		Listen: listen, Name: cfg.NodeName, Cluster: clusterOf(cfg), Logger: log,
	})
	if err != nil || !cfg.Clustered() {
		return store, err
	}
	wait, cancel := context.WithTimeout(ctx, quorumTime)
	defer cancel()
	if err := store.AwaitQuorum(wait); err != nil {
		store.Shutdown()
		if ctx.Err() != nil {
			return nil, fmt.Errorf("stopped while waiting for the other nodes: %w", err)
		}
		return nil, err
	}
	return store, nil
}

// clusterOf is the cluster that the configuration asks for, or nil.
func clusterOf(cfg config.Config) *jetstream.Cluster {
	if !cfg.Clustered() {
		return nil
	}
	c := &jetstream.Cluster{Name: cfg.ClusterName, Addr: cfg.ClusterAddr.String(), Secrets: []string{cfg.SecretKey.Reveal()}}
	for _, peer := range cfg.ClusterPeers {
		c.Peers = append(c.Peers, peer.String())
	}
	for _, old := range cfg.SecretKeyFallbacks {
		c.Secrets = append(c.Secrets, old.Reveal())
	}
	return c
}
