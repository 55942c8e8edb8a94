//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

const (
	// limited is the course of the demo site with a limited number of places.
	limited = "now"
	// places is how many it has.
	places = 50
	// beyond is how many more people want one.
	beyond = 2
	// atOnce is how many people try at the same time.
	atOnce = 8
)

// TestCapacity lets more people ask for a place than there are, several at
// once and through two workers: exactly as many as there are places get in,
// and the others are told why not.
func TestCapacity(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=2")
	var wait sync.WaitGroup
	var entered, refused atomic.Int64
	queue := make(chan int)
	for range atOnce {
		wait.Go(func() {
			for n := range queue {
				p := newPerson(s)
				in, err := signUpAndEnrol(p, n)
				p.http.CloseIdleConnections()
				switch {
				case err != nil:
					t.Error(err)
				case in:
					entered.Add(1)
				default:
					refused.Add(1)
				}
			}
		})
	}
	for n := range places + beyond {
		queue <- n
	}
	close(queue)
	wait.Wait()
	if entered.Load() != places || refused.Load() != beyond {
		t.Errorf("%d people got in and %d were refused, expected %d and %d", entered.Load(), refused.Load(), places, beyond)
	}
	page := newMember(t, s, student, studentPassword).get(t, "/course/"+limited+"/view").body
	if !strings.Contains(page, "This course is full") || strings.Contains(page, "/course/"+limited+"/enroll") {
		t.Error("the page of the full course does not say so")
	}
}

// signUpAndEnrol makes a new account and asks for a place. It reports whether
// the person got in, and fails if the site's pages say different things.
func signUpAndEnrol(p *person, n int) (bool, error) {
	a, err := p.send(http.MethodPost, "/user/logon", signUpForm(fmt.Sprintf("person-%d", n)), nil)
	if err != nil || a.status != http.StatusSeeOther {
		return false, fmt.Errorf("sign-up of person %d: status %d, error %v", n, a.status, err)
	}
	a, err = p.send(http.MethodPost, "/course/"+limited+"/enroll", nil, nil)
	if err != nil || a.status != http.StatusSeeOther {
		return false, fmt.Errorf("enrolling person %d: status %d, error %v", n, a.status, err)
	}
	target := a.header.Get("Location")
	page, err := p.send(http.MethodGet, target, nil, nil)
	if err != nil {
		return false, err
	}
	switch {
	case strings.HasSuffix(target, "/take") && page.status == http.StatusOK:
		return true, nil
	case strings.HasSuffix(target, "/view") && strings.Contains(page.body, "so you could not be enrolled"):
		return false, nil
	}
	return false, fmt.Errorf("person %d was sent to %s, status %d", n, target, page.status)
}
