//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// learner is a signed-in person under load: it reads pages that show who it
// is, and writes, and remembers each write that the site has acknowledged.
type learner struct {
	*person
	login, shown string
	// mu guards the two lists, which the test reads at the end.
	mu       sync.Mutex
	enrolled []string
	done     []string
	// broken counts the requests that got no answer since the process that
	// had them was killed.
	broken atomic.Int64
	pids   sync.Map
}

// crowd signs in the people of the demo site and enrols each in one course,
// which shows the paths of its lessons.
func crowd(t *testing.T, s *site) ([]*learner, map[string][]string) {
	t.Helper()
	people := []*learner{
		{person: newMember(t, s, admin, adminPassword), login: admin, shown: "lms-admin"},
		{person: newMember(t, s, student, studentPassword), login: student, shown: "Amina Okafor"},
		{person: newMember(t, s, teacher, teacherPassword), login: teacher, shown: "Tomás Herrera"},
	}
	codes := courses(t, people[0].person)
	paths := map[string][]string{}
	for _, code := range codes {
		enrol(t, people[0].person, code)
		paths[code], _ = lessons(t, people[0].person, code)
	}
	return people, paths
}

// try sends a request, and once more if the connection broke.
func (l *learner) try(method, path string, form url.Values) (answer, error) {
	a, err := l.send(method, path, form, nil)
	if err == nil {
		return a, nil
	}
	l.broken.Add(1)
	return l.send(method, path, form, nil)
}

// look reads the pages that show who somebody is.
func (l *learner) look() error {
	a, err := l.try(http.MethodGet, "/home/panel", nil)
	if err != nil {
		return err
	}
	if a.status != http.StatusOK || !strings.Contains(a.body, `aria-label="Account: `+l.shown+`"`) {
		return fmt.Errorf("the panel of %s: status %d, location %q, without the name %q", l.login, a.status, a.header.Get("Location"), l.shown)
	}
	r, err := l.whoami()
	if err != nil {
		l.broken.Add(1)
		r, err = l.whoami()
	}
	if err != nil {
		return err
	}
	l.pids.Store(r.Worker.PID, true)
	if r.name() != l.login {
		return fmt.Errorf("%s is taken for %q", l.login, r.name())
	}
	return nil
}

// write enrols or completes and notes the acknowledgement: a redirect to where
// people go after it.
func (l *learner) write(path, course string, list *[]string, item string) error {
	a, err := l.try(http.MethodPost, path, url.Values{})
	if err != nil {
		return err
	}
	if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/course/"+course+"/") ||
		strings.HasSuffix(a.header.Get("Location"), "/view") {
		return fmt.Errorf("POST %s of %s: status %d, location %q", path, l.login, a.status, a.header.Get("Location"))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	*list = append(*list, item)
	return nil
}

// work enrols in each course and completes its lessons, reading in between,
// again and again until it is told to stop or fails.
func (l *learner) work(paths map[string][]string, stop <-chan struct{}) error {
	for {
		for code, list := range paths {
			if err := l.write("/course/"+code+"/enroll", code, &l.enrolled, code); err != nil {
				return err
			}
			for _, path := range list {
				select {
				case <-stop:
					return nil
				default:
				}
				if err := l.write(path+"/complete", code, &l.done, path); err != nil {
					return err
				}
				if err := l.look(); err != nil {
					return err
				}
			}
		}
	}
}

// checkWrites fails the test if something that was acknowledged is not there.
func (l *learner) checkWrites(t *testing.T, paths map[string][]string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	there := map[string]bool{}
	for code := range paths {
		if !isEnrolled(t, l.person, code) {
			continue
		}
		there[code] = true
		_, done := lessons(t, l.person, code)
		for path, ok := range done {
			there[path] = ok
		}
	}
	for _, item := range append(append([]string(nil), l.enrolled...), l.done...) {
		if !there[item] {
			t.Errorf("%s: the acknowledged write %s is lost", l.login, item)
		}
	}
	t.Logf("%s: %d acknowledged writes, %d broken connections", l.login, len(l.enrolled)+len(l.done), l.broken.Load())
}
