//go:build unix

package e2e

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestStartIsRefused starts the site where it cannot work. Each answer says
// what is wrong and what to do, with exit status 1.
func TestStartIsRefused(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, port, _ := net.SplitHostPort(busy.Addr().String())
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  []string
		says []string
	}{
		{"busy port", []string{"LMS_DATA_DIR=" + t.TempDir(), "LMS_PORT=" + port}, []string{"port " + port, "in use", "LMS_PORT"}},
		{"data directory in use", []string{"LMS_DATA_DIR=" + s.dir, "LMS_PORT=0"}, []string{s.dir, "in use by process", "LMS_DATA_DIR"}},
		{"data directory is a file", []string{"LMS_DATA_DIR=" + file, "LMS_PORT=0"}, []string{file, "LMS_DATA_DIR"}},
		{"data directory cannot be written", []string{"LMS_DATA_DIR=" + readOnly(t), "LMS_PORT=0"}, []string{"cannot be", "LMS_DATA_DIR"}},
		{"all faults at once", []string{"LMS_ENV=production", "LMS_PORT=http", "LMS_WORKERS=0", "SECRET_KEY=dev", "LMS_SYNC=never", "LMS_DATA_DIR=" + t.TempDir()},
			[]string{"4 faults", "LMS_PORT", "LMS_WORKERS", "SECRET_KEY", "LMS_SYNC"}},
		{"production without an administrator", []string{"LMS_ENV=production", "LMS_BIND=127.0.0.1", "LMS_PORT=0", "LMS_DATA_DIR=" + t.TempDir(),
			"SECRET_KEY=0123456789abcdef0123456789abcdef0123456789abcdef"}, []string{"ADMIN_USER", "ADMIN_PSWD"}},
		{"no folder of handlers", handlers("/nowhere/at/all"), []string{"LMS_HANDLERS_DIR", "/nowhere/at/all"}},
		{"broken handler", handlers(folderOf(t, "guard.wasm", "<html>")), []string{"LMS_HANDLERS_DIR", "guard.wasm", "not a WebAssembly module"}},
		{"handler without a manifest", handlers(folderOf(t, "guard.wasm", emptyModule)), []string{"guard.wasm", "lectern.manifest", "guard.json"}},
		{"handler of a name that is taken", handlers(folderOf(t, "catalog.wasm", emptyModule, "catalog.json",
			`{"abi": 1, "name": "catalog", "routes": [{"pattern": "GET /other"}]}`)), []string{"catalog.wasm", "carries a handler catalog already"}},
		{"handler that wants the accounts", handlers(folderOf(t, "guard.wasm", emptyModule, "guard.json",
			`{"abi": 1, "name": "guard", "next": "catalog", "read": ["account/"]}`)), []string{"guard.json", `"account/" is kept by the host`}},
		{"Redis that is not there", []string{"REDIS_URL=redis://:hunter22@127.0.0.1:1", "LMS_PORT=0", "LMS_DATA_DIR=" + t.TempDir()},
			[]string{"REDIS_URL", "redis://:*****@127.0.0.1:1", "connection refused"}},
		{"address of Redis that is none", []string{"SESSION_REDIS_URL=localhost:6379", "LMS_PORT=0", "LMS_DATA_DIR=" + t.TempDir()},
			[]string{"SESSION_REDIS_URL", "redis://user:password@host:6379/0"}},
		{"a cluster of two without a key", []string{"LMS_CLUSTER_PEERS=127.0.0.1:1,127.0.0.1:2", "LMS_CLUSTER_ADDR=127.0.0.1:1", "LMS_DATA_DIR=" + t.TempDir()},
			[]string{"two nodes are no cluster", "SECRET_KEY", "openssl rand"}},
		{"a cluster on the data of a single site", []string{"LMS_CLUSTER_PEERS=127.0.0.1:1,127.0.0.1:2,127.0.0.1:3", "LMS_CLUSTER_ADDR=127.0.0.1:1",
			"LMS_NODE_NAME=a", clusterKey, "LMS_PORT=0", "LMS_DATA_DIR=" + golden}, []string{"a site on one node", "choose another directory"}},
		{"shorter idle time than sessions keep", []string{"LMS_SESSION_IDLE=1s", "LMS_PORT=0", "LMS_DATA_DIR=" + t.TempDir()}, []string{"LMS_SESSION_IDLE", "2m"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			begin := time.Now()
			status, text, err := outcome(c.env, "serve")
			if err != nil {
				t.Fatal(err)
			}
			if status != 1 {
				t.Errorf("exit status %d, expected 1", status)
			}
			for _, want := range c.says {
				if !strings.Contains(text, want) {
					t.Errorf("the message lacks %q:\n%s", want, text)
				}
			}
			t.Logf("after %v: %s", time.Since(begin).Round(time.Millisecond), text)
		})
	}
	if a := newPerson(s).get(t, "/home"); a.status != 200 {
		t.Errorf("the site that was running answers %d", a.status)
	}
}

// emptyModule is the least WebAssembly module there is.
const emptyModule = "\x00asm\x01\x00\x00\x00"

// handlers is the environment of a site with a folder of handlers.
func handlers(folder string) []string {
	return []string{"LMS_HANDLERS_DIR=" + folder, "LMS_PORT=0", "LMS_DATA_DIR=/nowhere/at/all"} // it does not get as far
}

// folderOf makes a folder of files: their names and contents in turn.
func folderOf(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// readOnly is a directory in which this user can make no file.
func readOnly(t *testing.T) string {
	t.Helper()
	if os.Geteuid() == 0 {
		return "/proc/self" // root may write wherever the system itself allows it
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestHealthcheck asks a running site by the command that orchestrators use,
// and reads what its endpoints say.
func TestHealthcheck(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=2")
	_, port, _ := net.SplitHostPort(s.address)
	status, text, err := outcome([]string{"LMS_PORT=" + port}, "healthcheck")
	if err != nil || status != 0 {
		t.Errorf("exit status %d, error %v: %s", status, err, text)
	}
	ready := newPerson(s).get(t, "/readyz")
	for _, part := range []string{"server", "records", "sessions", "engine", "handlers"} {
		if !strings.Contains(text, "[+] "+part) || !strings.Contains(ready.body, "[+] "+part) {
			t.Errorf("readiness says nothing of %q:\n%s", part, text)
		}
	}
	if a := newPerson(s).get(t, "/healthz"); a.status != 200 || a.body != "ok\n" {
		t.Errorf("/healthz: status %d, %q", a.status, a.body)
	}
	metrics := newPerson(s).get(t, "/metrics")
	for _, want := range []string{"lectern_http_requests_total", `worker="0"`, `worker="1"`} {
		if !strings.Contains(metrics.body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if status := s.terminate(); status != 0 {
		t.Errorf("exit status %d at the end", status)
	}
	if status, text, err := outcome([]string{"LMS_PORT=" + port}, "healthcheck"); err != nil || status != 1 || !strings.Contains(text, "no site answers") {
		t.Errorf("with no site: exit status %d, error %v: %s", status, err, text)
	}
}
