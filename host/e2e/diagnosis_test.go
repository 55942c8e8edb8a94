//go:build unix

package e2e

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// operator follows NOW LMS's run-book: it signs in and asks /debug/session.
type operator struct {
	signIn func(t *testing.T, login, password string)
	// session gives the answer as it came.
	session func(t *testing.T) string
	// cookie is what the jar holds by now.
	cookie func(t *testing.T) string
}

// newOperator works with curl as the run-book does, or as curl would where
// there is none.
func newOperator(t *testing.T, s *site) operator {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Log("there is no curl here, so this test speaks HTTP by itself")
		p := newPerson(s)
		return operator{
			signIn: func(t *testing.T, login, password string) {
				p.post(t, "/user/login", url.Values{"usuario": {login}, "acceso": {password}})
			},
			session: func(t *testing.T) string { return p.get(t, "/debug/session").body },
			cookie:  func(*testing.T) string { return p.cookie() },
		}
	}
	jar := filepath.Join(t.TempDir(), "cookies.txt")
	curl := func(t *testing.T, args ...string) string {
		t.Helper()
		text, err := exec.Command("curl", append([]string{"-sS", "--max-time", "30"}, args...)...).Output()
		if err != nil {
			t.Fatalf("curl %v: %v", args, err)
		}
		return string(text)
	}
	return operator{
		signIn: func(t *testing.T, login, password string) {
			t.Helper()
			curl(t, "-c", jar, "-X", "POST", s.url("/user/login"), "-d", "usuario="+login, "-d", "acceso="+password)
		},
		session: func(t *testing.T) string {
			t.Helper()
			return curl(t, "-b", jar, s.url("/debug/session"))
		},
		cookie: func(t *testing.T) string {
			t.Helper()
			return readLast(t, jar)
		},
	}
}

// TestDiagnosis is the reference's own way to find out whether workers agree
// about who is signed in, as its run-book writes it, with a second person in
// between.
func TestDiagnosis(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1")
	first, second := newOperator(t, s), newOperator(t, s)
	first.signIn(t, admin, adminPassword)
	second.signIn(t, student, studentPassword)
	pids := map[int]bool{}
	for range 10 {
		for _, c := range []struct {
			operator
			name, role string
		}{{first, admin, "admin"}, {second, student, "student"}} {
			text := c.session(t)
			r := checkReport(t, text)
			pids[r.Worker.PID] = true
			if r.name() != c.name || r.CurrentUser.Tipo != c.role {
				t.Fatalf("%s is taken for %q: %s", c.name, r.name(), text)
			}
			if strings.Contains(text, first.cookie(t)) || strings.Contains(text, second.cookie(t)) {
				t.Fatal("/debug/session shows a session's cookie")
			}
		}
	}
	if len(pids) < 2 {
		t.Errorf("%d processes answered 20 requests, expected at least 2 of 3", len(pids))
	}
	t.Logf("%d processes answered", len(pids))
	checkNothingSecret(t, s, first.cookie(t), second.cookie(t), studentPassword, "student@example.org")
}

// checkReport compares the fields of /debug/session with the reference's.
func checkReport(t *testing.T, text string) report {
	t.Helper()
	var r report
	fields := map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("/debug/session is not JSON: %v\n%s", err, text)
	}
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatal(err)
	}
	checkFields(t, fields, "worker", "session_backend", "session_interface", "session_data", "current_user", "authenticated")
	worker, user := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal(fields["worker"], &worker); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(fields["current_user"], &user); err != nil {
		t.Fatal(err)
	}
	checkFields(t, worker, "pid", "workers_env", "threads_env")
	checkFields(t, user, "id", "usuario", "tipo", "activo")
	if string(worker["workers_env"]) != `"3"` || string(worker["threads_env"]) != "null" || string(user["activo"]) != "true" {
		t.Errorf("/debug/session has wrong values:\n%s", text)
	}
	return r
}

// checkFields fails the test if an object lacks a field; more are allowed.
func checkFields(t *testing.T, object map[string]json.RawMessage, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, ok := object[name]; !ok {
			t.Errorf("the field %q is missing, there are %v", name, slices.Sorted(maps.Keys(object)))
		}
	}
}

// checkNothingSecret fails the test if the log holds one of these texts.
func checkNothingSecret(t *testing.T, s *site, secrets ...string) {
	t.Helper()
	lines, _ := s.log.snapshot()
	for _, l := range lines {
		for _, secret := range secrets {
			if secret == "" || strings.Contains(l.text, secret) {
				t.Errorf("the log holds a secret: %s", l.text)
			}
		}
	}
}

// readLast gives the last word of a file of curl's cookies: the newest value.
func readLast(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(string(text))
	return words[len(words)-1]
}
