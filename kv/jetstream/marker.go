package jetstream

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// markerFile is the file in the store directory of a cluster's node that says
// which node it is. A server that starts on the data of another node, or of a
// server without a cluster, would not warn: NATS deletes the streams that the
// cluster does not know, half a minute later.
const markerFile = "node.json"

// marker is what the file holds.
type marker struct {
	Cluster string `json:"cluster"`
	Node    string `json:"node"`
	// Formed says that the node has seen the cluster at work. Before that the
	// server wants all nodes for its first election, not only most of them.
	Formed bool `json:"formed,omitempty"`
}

// checkMarker refuses a directory whose data belong to something else than
// this server, and marks that of a cluster's node. It tells whether the node
// has been part of a working cluster before.
func checkMarker(o ServerOptions) (formed bool, err error) {
	path := filepath.Join(o.Dir, markerFile)
	var have marker
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return false, fmt.Errorf("jetstream: read which node the store directory belongs to: %w", err)
	default:
		if err := json.Unmarshal(text, &have); err != nil || have.Node == "" {
			return false, fmt.Errorf("jetstream: %s is damaged; restore it or, if the other nodes hold all data, move %s away and start anew", path, o.Dir)
		}
	}
	want := marker{Formed: have.Formed}
	if o.Cluster != nil {
		want.Cluster, want.Node = o.Cluster.Name, o.Name
	}
	switch {
	case have == want:
		return have.Formed, nil
	case o.Cluster == nil:
		return false, fmt.Errorf("jetstream: %s holds the data of node %q of cluster %q; start it as that node, or choose another directory", o.Dir, have.Node, have.Cluster)
	case have.Node != "":
		return false, fmt.Errorf("jetstream: %s holds the data of node %q of cluster %q, and this is node %q of cluster %q; "+
			"use the names of before, or another directory", o.Dir, have.Node, have.Cluster, want.Node, want.Cluster)
	}
	if _, err := os.Stat(filepath.Join(o.Dir, "jetstream")); err == nil {
		return false, fmt.Errorf("jetstream: %s holds the data of a site on one node, which joining cluster %q would delete; choose another directory", o.Dir, want.Cluster)
	}
	return false, writeMarker(o.Dir, want)
}

// writeMarker puts the file there in one step.
func writeMarker(dir string, m marker) error {
	path := filepath.Join(dir, markerFile)
	text, err := json.Marshal(m)
	if err == nil {
		err = os.WriteFile(path+".new", text, 0o600)
	}
	if err == nil {
		err = os.Rename(path+".new", path)
	}
	if err != nil {
		return fmt.Errorf("jetstream: mark the store directory: %w", err)
	}
	return nil
}
