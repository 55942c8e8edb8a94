//go:build unix

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestAllProcessesDie kills everything at once in the middle of writes. After
// a new start on the same data directory people are still signed in by their
// old cookies, and each acknowledged write is there.
func TestAllProcessesDie(t *testing.T) {
	t.Parallel()
	for _, workers := range []string{"1", "3"} {
		t.Run(workers+" workers", func(t *testing.T) {
			s := startSite(t, "LMS_WORKERS="+workers, "LMS_DEBUG_ENDPOINTS=1")
			people, paths := crowd(t, s)
			var running sync.WaitGroup
			for _, l := range people {
				running.Go(func() {
					// The error is that of the connection, at the end.
					_ = l.work(paths, make(chan struct{}))
				})
			}
			eventually(t, "some writes of each person", func() bool {
				for _, l := range people {
					l.mu.Lock()
					n := len(l.done)
					l.mu.Unlock()
					if n < 5 {
						return false
					}
				}
				return true
			})
			s.kill()
			running.Wait()
			s.start()
			for _, l := range people {
				l.isKnownAs(t, l.login)
				l.checkWrites(t, paths)
			}
		})
	}
}

// TestStopAnswersWhatIsInFlight stops a site in good order while a form is
// half sent: the rest is still taken, the answer comes, the write is there
// after a new start, and the exit status is 0.
func TestStopAnswersWhatIsInFlight(t *testing.T) {
	t.Parallel()
	for _, workers := range []string{"1", "3"} {
		t.Run(workers+" workers", func(t *testing.T) {
			s := startSite(t, "LMS_WORKERS="+workers, "LMS_DEBUG_ENDPOINTS=1")
			p := newMember(t, s, student, studentPassword)
			enrol(t, p, "edge")
			paths, _ := lessons(t, p, "edge")
			p.http.CloseIdleConnections()
			slow := beginPost(t, s, paths[0]+"/complete", p.cookie(), "a=1")
			if err := s.signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			eventually(t, "no new connections", func() bool {
				c, err := net.Dial("tcp", s.address)
				if err == nil {
					c.Close()
				}
				return err != nil
			})
			if status := slow.finish(t); status != http.StatusSeeOther {
				t.Errorf("the request in flight got status %d, expected 303", status)
			}
			ctx, cancel := context.WithTimeout(t.Context(), stopLimit)
			defer cancel()
			if status := s.wait(ctx); status != 0 {
				t.Errorf("exit status %d, expected 0", status)
			}
			s.checkLog()
			s.start()
			p.isKnownAs(t, student)
			if _, done := lessons(t, p, "edge"); !done[paths[0]] {
				t.Error("the write that was acknowledged during the stop is lost")
			}
		})
	}
}

// TestCtrlCStopsWorkers sends the signal to all processes at once, as a
// terminal does.
func TestCtrlCStopsWorkers(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=2")
	if err := s.signalGroup(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), stopLimit)
	defer cancel()
	if status := s.wait(ctx); status != 0 {
		t.Errorf("exit status %d, expected 0", status)
	}
}

// slowPost is a form of which the last byte is not sent yet.
type slowPost struct {
	conn net.Conn
	rest string
}

// beginPost sends all but the last byte of a form, and waits until the site
// has surely read it.
func beginPost(t *testing.T, s *site, path, cookie, body string) slowPost {
	t.Helper()
	c, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	last := len(body) - 1
	_, err = fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nCookie: session=%s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, s.address, cookie, len(body), body[:last])
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	return slowPost{c, body[last:]}
}

// finish sends the rest and gives the status of the answer.
func (p slowPost) finish(t *testing.T) int {
	t.Helper()
	if err := p.conn.SetDeadline(time.Now().Add(startLimit)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(p.conn, p.rest); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(p.conn), nil)
	if err != nil {
		t.Fatalf("the request in flight got no answer: %v", err)
	}
	defer response.Body.Close()
	return response.StatusCode
}
