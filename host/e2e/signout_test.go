//go:build unix

package e2e

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// onAll gives copies of a person's browser with a kept connection each, until
// every one of n workers has one, by the workers' process ids.
func onAll(t *testing.T, s *site, p *person, n int) map[int]*person {
	t.Helper()
	found := map[int]*person{}
	eventually(t, "a connection to each worker", func() bool {
		b := bearer(s, p.cookie())
		r, err := b.whoami()
		if err != nil || !r.Authenticated {
			t.Fatalf("a copy of the browser: %+v, %v", r, err)
		}
		if found[r.Worker.PID] == nil {
			found[r.Worker.PID] = b
		}
		return len(found) == n
	})
	return found
}

// asker asks who a browser is taken for, on and on, until it is told no.
type asker struct {
	b        *person
	accepted atomic.Int64
}

// ask asks until stop is closed. Requests that begin after ended is closed must
// not be accepted.
func (a *asker) ask(t *testing.T, ended, stop chan struct{}) {
	for {
		over := false
		select {
		case <-stop:
			return
		case <-ended:
			over = true
		default:
		}
		r, err := a.b.whoami()
		switch {
		case err != nil:
			t.Error(err)
			return
		case over && r.Authenticated:
			t.Errorf("worker %d took a signed-out session for valid", r.Worker.PID)
			return
		case r.Authenticated:
			a.accepted.Add(1)
		}
	}
}

// TestSignOutIsKnownEverywhere signs out on one of three workers while all are
// asked: none accepts a request that was sent after the answer.
func TestSignOutIsKnownEverywhere(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1")
	for range 6 {
		p := newMember(t, s, student, studentPassword)
		ended, stop := make(chan struct{}), make(chan struct{})
		var running sync.WaitGroup
		var askers []*asker
		for _, b := range onAll(t, s, p, 3) {
			a := &asker{b: b}
			askers = append(askers, a)
			running.Go(func() { a.ask(t, ended, stop) })
		}
		time.Sleep(100 * time.Millisecond)
		if a := p.post(t, "/user/logout", nil); a.status != http.StatusSeeOther {
			t.Fatalf("sign-out: status %d", a.status)
		}
		close(ended)
		time.Sleep(100 * time.Millisecond)
		close(stop)
		running.Wait()
		for _, a := range askers {
			if a.accepted.Load() < 3 {
				t.Errorf("a worker answered %d times before the sign-out only", a.accepted.Load())
			}
		}
	}
	// What was asked so often came from the workers' memory.
	metrics := newPerson(s).get(t, "/metrics").body
	for worker := range 3 {
		if !metric(metrics, `lectern_near_hits_total{bucket="sessions",worker="`+strconv.Itoa(worker)+`"}`) {
			t.Errorf("worker %d answered nothing from memory", worker)
		}
	}
}

// metric tells whether a series of a scrape is there and not zero.
func metric(text, series string) bool {
	_, rest, ok := strings.Cut(text, series+" ")
	value, _, _ := strings.Cut(rest, "\n")
	return ok && value != "0"
}

// TestStoppedWorkerForgets stops a worker with SIGSTOP, signs out on another,
// and lets the first go on: it must not accept the session from its memory.
func TestStoppedWorkerForgets(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=2", "LMS_DEBUG_ENDPOINTS=1")
	p := newMember(t, s, student, studentPassword)
	browsers := onAll(t, s, p, 2)
	r, err := p.whoami()
	if err != nil {
		t.Fatal(err)
	}
	for pid, b := range browsers {
		if pid == r.Worker.PID {
			continue
		}
		if r, err := b.whoami(); err != nil || !r.Authenticated {
			t.Fatalf("before: %+v, %v", r, err)
		}
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		a := p.post(t, "/user/logout", nil)
		took := time.Since(begun)
		type outcome struct {
			report
			err error
		}
		answer := make(chan outcome, 1)
		go func() {
			r, err := b.whoami() // waits in the stopped worker's socket
			answer <- outcome{r, err}
		}()
		time.Sleep(50 * time.Millisecond)
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusSeeOther || took > 5*time.Second {
			t.Errorf("sign-out beside a stopped worker: status %d after %v", a.status, took)
		}
		if o := <-answer; o.err == nil && o.Authenticated {
			t.Error("the worker that was stopped took a signed-out session for valid")
		}
		t.Logf("the sign-out took %v", took)
	}
}
