//go:build unix

package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The people of the demo site.
const (
	admin, adminPassword     = "lms-admin", "lms-admin"
	student, studentPassword = "student", "lms-student"
	teacher, teacherPassword = "instructor", "lms-instructor"
)

// site is a running site on a data directory of its own, for one test.
type site struct {
	*process
	t       *testing.T
	dir     string
	env     []string
	address string
	// mayFail lists messages of level ERROR that the test provokes; any other
	// fails it.
	mayFail []string
}

// startSite starts a site with the demo data; it ends with the test. It waits
// for its turn if two others run, so a test must not start a second.
func startSite(t *testing.T, env ...string) *site {
	t.Helper()
	sites <- struct{}{}
	s := &site{t: t, dir: t.TempDir(), env: env}
	t.Cleanup(s.close)
	if err := copyGolden(s.dir); err != nil {
		t.Fatal(err)
	}
	s.start()
	return s
}

// start starts the site, for the first time or again, and waits until it
// serves.
func (s *site) start(env ...string) {
	s.t.Helper()
	begin := time.Now()
	s.process = newProcess(s.dir, append(slices.Clone(s.env), env...)...)
	if err := s.process.start(); err != nil {
		s.t.Fatal(err)
	}
	line, ok := s.log.await(isServing, startLimit, s.ended)
	if !ok {
		s.t.Fatalf("the site did not start:\n%s", s.log.tail(20))
	}
	s.address = line.Address
	s.t.Logf("the site serves after %v", time.Since(begin).Round(time.Millisecond))
}

// close ends the site and checks that it met no fault of its own.
func (s *site) close() {
	defer func() { <-sites }()
	if s.process == nil {
		return
	}
	s.kill()
	s.checkLog()
	if s.t.Failed() {
		s.t.Logf("the end of the site's log:\n%s", s.log.tail(25))
	}
}

// checkLog fails the test if the log holds an error or a panic that the test
// did not announce.
func (s *site) checkLog() {
	s.t.Helper()
	lines, _ := s.log.snapshot()
	for _, l := range lines {
		broken := l.Level == "ERROR" || strings.HasPrefix(l.text, "panic:") || strings.HasPrefix(l.text, "fatal error:")
		if broken && !slices.Contains(s.mayFail, l.Message) {
			s.t.Errorf("the site logged a fault: %s", l.text)
		}
	}
}

// terminate stops the site in good order and gives its exit status.
func (s *site) terminate() int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), stopLimit)
	defer cancel()
	status := s.stop(ctx)
	s.checkLog()
	return status
}

// worker gives the process that a worker now is, and waits for one that is
// not old.
func (s *site) worker(index, old int) int {
	s.t.Helper()
	line, ok := s.log.await(func(l logLine) bool {
		return l.Message == "worker serves" && l.Worker != nil && *l.Worker == index && l.PID != old
	}, startLimit, s.ended)
	if !ok {
		s.t.Fatalf("worker %d did not begin to serve", index)
	}
	return line.PID
}

// killWorker kills a worker's process and waits until another took its place.
func (s *site) killWorker(index int) {
	s.t.Helper()
	pid := s.worker(index, 0)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		s.t.Fatal(err)
	}
	s.worker(index, pid)
}

// url is the address of a path of the site.
func (s *site) url(path string) string { return "http://" + s.address + path }

// secretKey is the key that signs the site's cookies.
func (s *site) secretKey() []byte {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "secret.key"))
	if err != nil {
		s.t.Fatal(err)
	}
	return []byte(strings.TrimSpace(string(text)))
}

// eventually asks until it is told yes, and fails the test when that takes
// longer than starting a worker may.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(startLimit)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("in vain waited for: %s", what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}
