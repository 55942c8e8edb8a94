//go:build unix

package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// courses gives the codes of the courses in the catalogue.
func courses(t *testing.T, p *person) []string {
	t.Helper()
	codes := links(p.get(t, "/course/explore").body, `href="/course/([a-z0-9_-]+)/view"`)
	if len(codes) < 4 {
		t.Fatalf("the catalogue shows %d courses, expected at least 4", len(codes))
	}
	return codes
}

// rows finds the lines of a course's outline.
var rows = regexp.MustCompile(`(?s)<li class="lesson-row">.*?</li>`)

// lessons gives the paths of a course's lessons as an enrolled person sees
// them, and which of them are marked as completed.
func lessons(t *testing.T, p *person, course string) (paths []string, done map[string]bool) {
	t.Helper()
	a := p.get(t, "/course/"+course+"/take")
	if a.status != http.StatusOK {
		t.Fatalf("/course/%s/take: status %d", course, a.status)
	}
	done = map[string]bool{}
	for _, row := range rows.FindAllString(a.body, -1) {
		path := links(row, `href="(/course/[^"]+/resource/text/[^"]+)"`)
		if len(path) != 1 {
			t.Fatalf("a line of the outline of %s has %d links, expected 1:\n%s", course, len(path), row)
		}
		paths = append(paths, path[0])
		done[path[0]] = strings.Contains(row, "tick-done")
	}
	if len(paths) < 8 {
		t.Fatalf("the outline of %s shows %d lessons, expected at least 8", course, len(paths))
	}
	return paths, done
}

// enrol enrols a person in a course; the test ends if it is refused.
func enrol(t *testing.T, p *person, course string) {
	t.Helper()
	a := p.post(t, "/course/"+course+"/enroll", nil)
	if want := "/course/" + course + "/take"; a.status != http.StatusSeeOther || a.header.Get("Location") != want {
		t.Fatalf("enrolling in %s: status %d, location %q", course, a.status, a.header.Get("Location"))
	}
}

// isEnrolled reports whether a person is in a course.
func isEnrolled(t *testing.T, p *person, course string) bool {
	t.Helper()
	return p.get(t, "/course/"+course+"/take").status == http.StatusOK
}

// signUpForm is a form that makes an account of this name.
func signUpForm(login string) url.Values {
	return url.Values{
		"usuario": {login}, "nombre": {"Person " + login},
		"correo_electronico": {login + "@example.org"}, "acceso": {"three-unrelated-words"},
	}
}
