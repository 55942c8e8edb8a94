package config

import (
	"errors"
	"strings"
	"testing"
)

// threeNodes is the start of a right cluster.
const threeNodes = "SECRET_KEY=" + goodKey + " LMS_CLUSTER_PEERS=a:6222,b:6222,c:6222 LMS_NODE_NAME=a "

// TestCluster loads a right cluster in the ways it may be written.
func TestCluster(t *testing.T) {
	t.Parallel()
	for environ, want := range map[string]string{
		threeNodes + "LMS_CLUSTER_ADDR=a:6222":                                                           "LMS_CLUSTER_ADDR a:6222 env LMS_CLUSTER_NAME lectern default LMS_NODE_NAME a env",
		threeNodes + "LMS_CLUSTER_ADDR=:6222 LMS_CLUSTER_NAME=school-1.x":                                "LMS_CLUSTER_ADDR :6222 env LMS_CLUSTER_NAME school-1.x env",
		threeNodes + "NOW_LMS_CLUSTER_ADDR=*:6222":                                                       "LMS_CLUSTER_PEERS a:6222,b:6222,c:6222 env LMS_CLUSTER_ADDR :6222 env NOW_LMS_CLUSTER_ADDR",
		threeNodes + "LMS_CLUSTER_ADDR=0.0.0.0:6222":                                                     "LMS_CLUSTER_ADDR 0.0.0.0:6222 env",
		"SECRET_KEY=" + goodKey + " LMS_CLUSTER_PEERS=[::1]:1,[::1]:2,[::1]:3, LMS_CLUSTER_ADDR=[::1]:2": "LMS_CLUSTER_PEERS [::1]:1,[::1]:2,[::1]:3 env",
		"LMS_PORT=1": "LMS_CLUSTER_PEERS [not set] default LMS_CLUSTER_ADDR [not set] default LMS_CLUSTER_NAME lectern default LMS_NODE_NAME [not set] default",
	} {
		cfg, err := Load(strings.Split(environ, " "))
		if err != nil {
			t.Errorf("%s: %v", environ, err)
			continue
		}
		var out strings.Builder
		if err := cfg.Print(&out); err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(strings.Fields(out.String()), " "); !strings.Contains(text, want) {
			t.Errorf("%s: %q is missing in:\n%s", environ, want, out.String())
		}
		if cluster := strings.Contains(environ, "PEERS"); cfg.Clustered() != cluster || cluster && cfg.NodeName == "" {
			t.Errorf("%s: clustered is %v, the node's name %q", environ, cfg.Clustered(), cfg.NodeName)
		}
		if len(cfg.Warnings) > 0 {
			t.Errorf("%s: warnings %q", environ, cfg.Warnings)
		}
	}
}

// TestClusterFaults goes through what is wrong with a cluster, one at a time.
func TestClusterFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ environ, name, says string }{
		{"LMS_CLUSTER_ADDR=a:1", "LMS_CLUSTER_PEERS", "set both or neither"},
		{threeNodes, "LMS_CLUSTER_ADDR", "10.0.0.1:6222"},
		{threeNodes + "LMS_CLUSTER_ADDR=a", "LMS_CLUSTER_ADDR", "host:port"},
		{threeNodes + "LMS_CLUSTER_ADDR=a:0", "LMS_CLUSTER_ADDR", "host:port"},
		{threeNodes + "LMS_CLUSTER_ADDR=nats://a:1", "LMS_CLUSTER_ADDR", "host:port"},
		{threeNodes + "LMS_CLUSTER_ADDR=d:6222", "LMS_CLUSTER_PEERS", "lacks this node's own address"},
		{threeNodes + "LMS_CLUSTER_ADDR=:6223", "LMS_CLUSTER_PEERS", "lacks this node's own address"},
		{threeNodes + "LMS_CLUSTER_ADDR=a:6222 LMS_CLUSTER_NAME=a,b", "LMS_CLUSTER_NAME", "letters, digits"},
		{"SECRET_KEY=" + goodKey + " LMS_CLUSTER_PEERS=a:1,b:1 LMS_CLUSTER_ADDR=a:1", "LMS_CLUSTER_PEERS", "two nodes are no cluster"},
		{"SECRET_KEY=" + goodKey + " LMS_CLUSTER_PEERS=a:1,b:1,a:1 LMS_CLUSTER_ADDR=a:1", "LMS_CLUSTER_PEERS", "twice"},
		{"SECRET_KEY=" + goodKey + " LMS_CLUSTER_PEERS=a:1,a:2,a:3,a:4,a:5,a:6,a:7,a:8,a:9,b:1 LMS_CLUSTER_ADDR=a:1", "LMS_CLUSTER_PEERS", "the most is 9"},
		{"SECRET_KEY=" + goodKey + " LMS_CLUSTER_PEERS=a:1,b:1,:1 LMS_CLUSTER_ADDR=a:1", "LMS_CLUSTER_PEERS", "all nodes"},
		{"LMS_CLUSTER_PEERS=a:1,b:1,c:1 LMS_CLUSTER_ADDR=a:1", "SECRET_KEY", "the nodes of a cluster know each other by it"},
		{"SECRET_KEY=dev LMS_CLUSTER_PEERS=a:1,b:1,c:1 LMS_CLUSTER_ADDR=a:1", "SECRET_KEY", "from an example"},
		{"LMS_ENV=production LMS_CLUSTER_PEERS=a:1,b:1,c:1 LMS_CLUSTER_ADDR=a:1", "SECRET_KEY", "not set"},
	} {
		_, err := Load(strings.Split(tt.environ, " "))
		var faults Faults
		if !errors.As(err, &faults) || len(faults) != 1 || faults[0].Name != tt.name || !strings.Contains(faults[0].Message, tt.says) {
			t.Errorf("%s: %v; want one fault of %s that says %q", tt.environ, err, tt.name, tt.says)
		}
	}
	cfg, err := Load(strings.Split("SECRET_KEY="+goodKey+" LMS_CLUSTER_PEERS=a:1,b:1,c:1,d:1 LMS_CLUSTER_ADDR=a:1", " "))
	if err != nil || len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0], "of 4 nodes") {
		t.Errorf("four nodes: %v, warnings %q", err, cfg.Warnings)
	}
	if err := EnsureSecret(&Config{Env: Development, ClusterPeers: cfg.ClusterPeers}); err == nil {
		t.Error("a node of a cluster made a key of its own")
	}
}
