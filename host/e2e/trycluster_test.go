//go:build unix

package e2e

import (
	"bufio"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestTryCluster runs `lectern cluster`: a line for each of the three nodes
// with an address that answers, one site behind them, and all of them gone
// after the signal.
func TestTryCluster(t *testing.T) {
	t.Parallel()
	sites <- struct{}{}
	defer func() { <-sites }()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "cluster"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(golden, "cache"), filepath.Join(dir, "cluster", "cache")); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(binary, "cluster")
	cmd.Env = append(cleanEnvironment(), "LMS_DATA_DIR="+dir, "LMS_PORT=0", "LMS_DEBUG_ENDPOINTS=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	dieWithTests(cmd.SysProcAttr)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	limit := time.AfterFunc(2*startLimit, func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) })
	defer limit.Stop()

	lines, text := bufio.NewScanner(out), ""
	var nodes []*site
	for len(nodes) < 3 && lines.Scan() {
		text += lines.Text() + "\n"
		if name, address, ok := strings.Cut(lines.Text(), " is ready: http://"); ok && strings.HasPrefix(name, "node") {
			nodes = append(nodes, &site{t: t, address: address})
		}
	}
	if len(nodes) < 3 {
		t.Fatalf("%d nodes became ready:\n%s", len(nodes), text)
	}
	rest := make(chan []byte, 1)
	go func() {
		more, _ := io.ReadAll(out) // ends with the process
		rest <- more
	}()
	p := newMember(t, nodes[0], student, studentPassword)
	for _, n := range nodes[1:] {
		through(p, n).isKnownAs(t, student)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	more := <-rest
	if err := cmd.Wait(); err != nil {
		t.Errorf("lectern cluster ended with %v:\n%s", err, more)
	}
	for i, n := range nodes {
		if _, err := http.Get(n.url("/healthz")); err == nil {
			t.Errorf("node %d still answers", i+1)
		}
	}
}
