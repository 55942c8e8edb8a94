//go:build unix

package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// raw sends a request whose path is written as it is, which http.Client would
// not do, and gives the status and the target of a redirect.
func raw(t *testing.T, s *site, method, path string) (int, string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", s.address, startLimit)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(startLimit)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", method, path, s.address)
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close()
	return response.StatusCode, response.Header.Get("Location")
}

// TestPathsWithEscapes sends paths that try to leave their place. Each is
// refused, or led to its clean form on this site.
func TestPathsWithEscapes(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	refused, moved := []int{400, 404}, []int{301, 307, 308}
	for path, want := range map[string][]int{
		"/course/%2e%2e/view":                            refused,
		"/course/%2e%2e%2f%2e%2e/view":                   refused,
		"/course/..%2f..%2fsecret.key/view":              refused,
		"/course/a%2fb/view":                             refused,
		"/course/now%00/view":                            refused,
		"/course/%00/view":                               refused,
		"/course/now/view;x":                             refused,
		"/course/now/view%3bx":                           refused,
		"/course/now/view/":                              refused,
		"/course/NOW/view":                               refused,
		"/course/%ff%fe/view":                            refused,
		"/course/" + strings.Repeat("a", 4000) + "/view": refused,
		"/course/now/resource/text/..%2f..%2fnight-sky%2f01-dark-eyes": refused,
		"/course/now/resource/text/%2e%2e":                             refused,
		"/course/now/resource/text/a%0d%0aSet-Cookie:%20x=y":           refused,
		"/static/..%2fstyle.css":                                       refused,
		"/static/%2e%2e%2fgo.mod":                                      refused,
		"/static/":                                                     refused,
		"/%00":                                                         refused,
		"/%":                                                           refused,
		"/home%2f":                                                     refused,
		"/course/../view":                                              moved,
		"/static/../home":                                              moved,
		"//home":                                                       moved,
		"//evil.example/%2e%2e":                                        slices.Concat(refused, moved),
		"/home/../../etc/passwd":                                       moved,
		"/course/explore?page=99999999999999999999&q=%ff%fe%00&tag=%zz": {200},
		"/course/explore?page=-1&level=9":                               {200},
		"/course/explore?" + strings.Repeat("a=b&", 2000):               {200},
	} {
		status, location := raw(t, s, http.MethodGet, path)
		if !slices.Contains(want, status) {
			t.Errorf("GET %.80s: status %d, expected one of %v", path, status, want)
		}
		if target, err := url.Parse(location); err != nil || target.Host != "" {
			t.Errorf("GET %.80s leads away to %q", path, location)
		}
	}
}

// TestMethods checks what is not answered by a page: changes by GET, HEAD, and
// methods that no route takes.
func TestMethods(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1")
	p := newMember(t, s, student, studentPassword)
	for _, c := range []struct{ method, path, allow string }{
		{"GET", "/user/logout", "POST"},
		{"GET", "/course/edge/enroll", "POST"},
		{"PUT", "/perfil", "GET, HEAD, POST"},
		{"DELETE", "/course/edge/view", "GET, HEAD"},
		{"BREW", "/home", "GET, HEAD"},
	} {
		a, err := p.send(c.method, c.path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusMethodNotAllowed || a.header.Get("Allow") != c.allow || !strings.Contains(a.body, "<h1") {
			t.Errorf("%s %s: status %d, Allow %q, expected 405 with %q and a page", c.method, c.path, a.status, a.header.Get("Allow"), c.allow)
		}
	}
	p.isKnownAs(t, student)
	if isEnrolled(t, p, "edge") {
		t.Error("a GET has enrolled the person")
	}
	visitor := newPerson(s)
	for _, path := range []string{"/home", "/course/explore", "/course/edge/view", "/user/login", "/favicon.ico", "/healthz", "/readyz", "/no/such/page"} {
		full := visitor.get(t, path)
		head, err := visitor.send(http.MethodHead, path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if head.status != full.status || head.body != "" || head.header.Get("Content-Type") != full.header.Get("Content-Type") {
			t.Errorf("HEAD %s: status %d and %d bytes, GET had status %d", path, head.status, len(head.body), full.status)
		}
	}
}

// TestNextStaysHere asks to be led to other sites after signing in.
func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	for next, want := range map[string]string{
		"/course/edge/view":           "/course/edge/view",
		"/course/explore?q=sky&tag=x": "/course/explore?q=sky&tag=x",
		"//evil.example":              "/home/panel",
		"///evil.example":             "/home/panel",
		"https://evil.example/":       "/home/panel",
		`/\evil.example`:              "/home/panel",
		`\\evil.example`:              "/home/panel",
		"/\t/evil.example":            "/home/panel",
		"/\r\nSet-Cookie: x=y":        "/home/panel",
		"javascript:alert(1)":         "/home/panel",
		"home":                        "/home/panel",
	} {
		p := newPerson(s)
		a := p.post(t, "/user/login", url.Values{"usuario": {student}, "acceso": {studentPassword}, "next": {next}})
		if a.status != http.StatusSeeOther || a.header.Get("Location") != want {
			t.Errorf("next=%q: status %d, location %q, expected %q", next, a.status, a.header.Get("Location"), want)
		}
		if again := p.get(t, "/user/login?next="+url.QueryEscape(next)); again.header.Get("Location") != want {
			t.Errorf("next=%q when signed in: location %q, expected %q", next, again.header.Get("Location"), want)
		}
		page := newPerson(s).get(t, "/user/login?next="+url.QueryEscape(next)).body
		if kept := links(page, `name="next" value="([^"]*)"`); want == "/home/panel" && !slices.Equal(kept, []string{""}) {
			t.Errorf("next=%q: the form keeps %q", next, kept)
		}
	}
}
