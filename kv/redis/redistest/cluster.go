package redistest

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"
)

// slots is how many a Redis Cluster has.
const slots = 16384

// StartCluster runs a Redis Cluster of so many primaries, which share the slots
// evenly.
func StartCluster(tb testing.TB, n int) []*Server {
	tb.Helper()
	nodes := make([]*Server, n)
	for i := range nodes {
		nodes[i] = Start(tb, "--cluster-enabled", "yes", "--cluster-node-timeout", "2000")
		nodes[i].Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(i*slots/n), strconv.Itoa((i+1)*slots/n-1))
		nodes[i].Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		if i > 0 {
			host, port, err := net.SplitHostPort(nodes[0].Addr())
			if err != nil {
				tb.Fatal(err)
			}
			nodes[i].Do("CLUSTER", "MEET", host, port)
		}
	}
	for end := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if agree(nodes) {
			return nodes
		}
		if time.Now().After(end) {
			tb.Fatalf("the cluster does not form:\n%s", nodes[0].Do("CLUSTER", "INFO"))
		}
	}
}

// agree tells whether each node knows all others and all slots.
func agree(nodes []*Server) bool {
	for _, s := range nodes {
		info := s.Do("CLUSTER", "INFO")
		if !strings.Contains(info, "cluster_state:ok") || !strings.Contains(info, fmt.Sprintf("cluster_known_nodes:%d\r", len(nodes))) {
			return false
		}
	}
	return true
}

// MoveSlot moves the slot of a key, with all its keys, from one node of a
// cluster to another; between is called when half of the keys are there.
func MoveSlot(tb testing.TB, from, to *Server, key string, between func()) {
	tb.Helper()
	slot := from.Do("CLUSTER", "KEYSLOT", key)
	fromID, toID := from.Do("CLUSTER", "MYID"), to.Do("CLUSTER", "MYID")
	to.Do("CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	from.Do("CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	host, port, err := net.SplitHostPort(to.Addr())
	if err != nil {
		tb.Fatal(err)
	}
	keys := strings.Fields(from.Do("CLUSTER", "GETKEYSINSLOT", slot, "1000"))
	for i, k := range keys {
		if i == len(keys)/2 {
			between()
		}
		if got := from.Do("MIGRATE", host, port, k, "0", "5000"); got != "OK" {
			tb.Fatalf("MIGRATE %s: %s", k, got)
		}
	}
	to.Do("CLUSTER", "SETSLOT", slot, "NODE", toID)
	from.Do("CLUSTER", "SETSLOT", slot, "NODE", toID)
}
