package config

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// HostPort is the address of a node for the other nodes: a host name or IP
// address and a port. The host is empty for all interfaces.
type HostPort string

// String is the address as its variable takes it.
func (h HostPort) String() string { return string(h) }

// port is the address's port.
func (h HostPort) port() string {
	_, port, _ := net.SplitHostPort(string(h)) // parsed before
	return port
}

// everywhere tells whether the address stands for all interfaces.
func (h HostPort) everywhere() bool {
	host, _, _ := net.SplitHostPort(string(h)) // parsed before
	ip := net.ParseIP(host)
	return host == "" || ip != nil && ip.IsUnspecified()
}

// parseHostPort reads an address to listen on.
func parseHostPort(v string) (any, error) {
	host, port, err := net.SplitHostPort(strings.TrimSpace(v))
	if err != nil || strings.ContainsAny(host, " \t/@") {
		return nil, errForm
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, errForm
	}
	if host == "*" {
		host = ""
	}
	return HostPort(net.JoinHostPort(host, port)), nil
}

// parseHostPorts reads addresses of other nodes with commas between them.
func parseHostPorts(v string) (any, error) {
	var out []HostPort
	for item := range strings.SplitSeq(v, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		addr, err := parseHostPort(item)
		if err != nil || addr.(HostPort).everywhere() {
			return nil, errForm
		}
		out = append(out, addr.(HostPort))
	}
	return out, nil
}

// The sizes of a cluster and of its names.
const (
	minNodes    = 3
	maxNodes    = 9
	maxNodeName = 64
)

// Clustered reports whether this node is one of several that make up a site.
func (c Config) Clustered() bool { return len(c.ClusterPeers) > 0 }

// checkCluster finds faults in what makes several nodes one site.
func checkCluster(cfg *Config, faults *Faults) {
	if faults.has("LMS_CLUSTER_PEERS") || faults.has("LMS_CLUSTER_ADDR") {
		return
	}
	for field, value := range map[string]string{"NodeName": cfg.NodeName, "ClusterName": cfg.ClusterName} {
		if value != "" && !goodName(value) {
			cfg.misfit(faults, *byField(field), value)
		}
	}
	if !cfg.Clustered() {
		notClustered(cfg, faults)
		return
	}
	switch n := len(cfg.ClusterPeers); {
	case n < minNodes:
		faults.add("LMS_CLUSTER_PEERS", "it lists %d of at least %d nodes: give the addresses of all, this one's too, the same list on each; "+
			"two nodes are no cluster, since neither of them may stop", n, minNodes)
	case n > maxNodes:
		faults.add("LMS_CLUSTER_PEERS", "it lists %d nodes, the most is %d", n, maxNodes)
	case n%2 == 0:
		cfg.Warnings = append(cfg.Warnings, fmt.Sprintf("LMS_CLUSTER_PEERS: of %d nodes no more may fail than of %d; take one out or add one", n, n-1))
	}
	for i, peer := range cfg.ClusterPeers {
		if slices.Contains(cfg.ClusterPeers[:i], peer) {
			faults.add("LMS_CLUSTER_PEERS", "%q is there twice; take one out", peer)
		}
	}
	checkOwnAddress(cfg, faults)
	if err := weak(cfg.SecretKey); err != nil && !cfg.Production() {
		faults.add("SECRET_KEY", "the nodes of a cluster know each other by it, and %v; %s, the same on each node", err, secretKeyRemedy)
	}
	if cfg.NodeName == "" {
		faults.add("LMS_NODE_NAME", "the host has no name to take; set one that no other node has")
	}
}

// notClustered finds settings that have no effect without a list of nodes.
func notClustered(cfg *Config, faults *Faults) {
	if cfg.ClusterAddr != "" {
		faults.add("LMS_CLUSTER_PEERS", "not set although LMS_CLUSTER_ADDR is; set both or neither")
	}
	for _, name := range []string{"LMS_CLUSTER_NAME", "LMS_NODE_NAME"} {
		if cfg.sources[name] != SourceDefault {
			cfg.Warnings = append(cfg.Warnings, name+" has no effect without LMS_CLUSTER_PEERS")
		}
	}
}

// checkOwnAddress sees that the list holds this node, as far as that can be
// told: a list without it makes the cluster count one node too few.
func checkOwnAddress(cfg *Config, faults *Faults) {
	own := cfg.ClusterAddr
	same := func(peer HostPort) bool { return peer == own || own.everywhere() && peer.port() == own.port() }
	switch {
	case own == "":
		faults.add("LMS_CLUSTER_ADDR", "not set although LMS_CLUSTER_PEERS is; set it to %s", byField("ClusterAddr").want)
	case !slices.ContainsFunc(cfg.ClusterPeers, same):
		faults.add("LMS_CLUSTER_PEERS", "it lacks this node's own address, LMS_CLUSTER_ADDR %q; give all nodes, the same list on each", own)
	}
}

// goodName tells whether a cluster or node may have this name.
func goodName(name string) bool {
	return len(name) <= maxNodeName && !strings.ContainsFunc(name, func(r rune) bool {
		return r > 'z' || r != '-' && r != '.' && r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

// hostName is the name that a node of a cluster has if it was given none.
func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return ""
	}
	return name
}
