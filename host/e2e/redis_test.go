//go:build unix

package e2e

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv/redis/redistest"
)

// TestSiteOnRedis goes the main way with everything in a Redis and three
// workers: sign in, read, write, workers that die under load, sign out.
func TestSiteOnRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--requirepass", "hunter22")
	url := "redis://:hunter22@" + srv.Addr()
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1", "REDIS_URL="+url)
	workersDie(t, s)

	p := newMember(t, s, student, studentPassword)
	copied := bearer(s, p.cookie())
	copied.isKnownAs(t, student)
	ready := p.get(t, "/readyz").body
	if !strings.Contains(ready, "[+] records: redis") || !strings.Contains(ready, "[+] sessions: redis") {
		t.Errorf("/readyz says:\n%s", ready)
	}
	if a := p.get(t, "/debug/session"); !strings.Contains(a.body, `"session_backend": "redis"`) {
		t.Errorf("/debug/session says %s", a.body)
	}
	var report struct {
		Status   string
		Sessions int `json:"session_keys_count"`
		Servers  []struct{ Setting, URL string }
	}
	a := p.get(t, "/debug/redis")
	if err := json.Unmarshal([]byte(a.body), &report); err != nil || report.Status != "ok" || report.Sessions == 0 ||
		len(report.Servers) != 1 || report.Servers[0].Setting != "REDIS_URL" {
		t.Errorf("/debug/redis: status %d, %v: %s", a.status, err, a.body)
	}
	metrics := p.get(t, "/metrics").body
	for _, want := range []string{`worker="0"`, `worker="1"`, `worker="2"`} {
		if !strings.Contains(metrics, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
	if a := p.post(t, "/user/logout", nil); a.status != http.StatusSeeOther {
		t.Errorf("sign-out: status %d", a.status)
	}
	for range 12 { // whichever worker answers
		p.isKnownAs(t, "")
		copied.isKnownAs(t, "")
	}
	checkNothingSecret(t, s, "hunter22")
}

// lease is how long a process may answer from memory when its store is gone.
const lease = 2 * time.Second

// TestRedisDies stops the Redis of a running site, starts it again, and in the
// end empties it. Meanwhile there are clear answers and never a wrong one:
// people are who they are, or the site says that it cannot tell.
func TestRedisDies(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	s := startSite(t, "LMS_WORKERS=2", "LMS_DEBUG_ENDPOINTS=1", "REDIS_URL="+srv.URL(), "LMS_REQUEST_TIMEOUT=1s")
	s.mayFail = []string{"the store failed"}
	p := newMember(t, s, student, studentPassword)
	srv.Kill()
	time.Sleep(lease)
	for _, path := range []string{"/debug/session", "/home/panel"} {
		if a := p.get(t, path); a.status != http.StatusServiceUnavailable {
			t.Errorf("%s without Redis: status %d: %.300s", path, a.status, a.body)
		}
	}
	if a := p.get(t, "/readyz"); a.status != http.StatusServiceUnavailable || !strings.Contains(a.body, "[-] sessions: the store (redis)") {
		t.Errorf("/readyz without Redis: status %d:\n%s", a.status, a.body)
	}
	srv.Restart()
	eventually(t, "the site is ready again", func() bool { return p.get(t, "/readyz").status == http.StatusOK })
	p.isKnownAs(t, student)
	srv.Do("FLUSHALL")
	time.Sleep(lease)
	// The sessions are gone; what the people were is in the records, which a
	// running site does not take from an empty store.
	if a := p.get(t, "/home/panel"); a.status == http.StatusOK {
		t.Errorf("the panel after the data are gone: status %d: %.300s", a.status, a.body)
	}
	eventually(t, "the records are missed", func() bool {
		a := p.get(t, "/readyz")
		return a.status == http.StatusServiceUnavailable && strings.Contains(a.body, "[-] records: the store (redis)")
	})
	if n := srv.Do("EXISTS", "{lectern:records}:meta"); n != "0" {
		t.Error("somebody has begun a new site in the emptied Redis")
	}
}

// TestSessionsAloneOnRedis keeps the records in the embedded store. When the
// Redis comes back empty, people are signed out and can sign in again.
func TestSessionsAloneOnRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t)
	s := startSite(t, "LMS_WORKERS=2", "LMS_DEBUG_ENDPOINTS=1", "SESSION_REDIS_URL="+srv.URL())
	p := newMember(t, s, student, studentPassword)
	p.isKnownAs(t, student)
	if _, err := os.Stat(filepath.Join(s.dir, "store")); err != nil {
		t.Error(err)
	}
	srv.Restart()
	time.Sleep(lease)
	for range 8 {
		p.isKnownAs(t, "")
	}
	newMember(t, s, student, studentPassword).isKnownAs(t, student)
}

// TestServersOnOneRedis is a site on three servers that share a Redis. Who signs
// in on one is known on the others with the next request, and who signs out on
// one is known on none. A server is killed under load, then the Redis: there
// are answers that the site cannot tell, and never wrong ones; what was
// acknowledged stays.
func TestServersOnOneRedis(t *testing.T) {
	t.Parallel()
	srv := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	nodes := startServers(t, 3, func(int) []string { return []string{"REDIS_URL=" + srv.URL()} })
	inAndOut(t, nodes, 24)

	member := newMember(t, nodes[0], teacher, teacherPassword)
	load := newNodeLoad(t, nodes[1:])
	load.awaitWrites(t, "writes on the other servers")
	nodes[0].kill()
	load.awaitWrites(t, "writes after a server was killed")
	for range 2 {
		srv.Restart()
		load.awaitWrites(t, "writes after Redis is back")
	}
	nodes[0].start()
	through(member, nodes[0]).isKnownAs(t, teacher)
	load.awaitWrites(t, "writes after the server is back")
	load.finish(t, nodes[0])
	inAndOut(t, nodes, 6)
}
