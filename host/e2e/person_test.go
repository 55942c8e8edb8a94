//go:build unix

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// person is somebody with a browser: an ordinary cookie jar that follows no
// redirect by itself. One goroutine uses it at a time.
type person struct {
	site *site
	http *http.Client
	// header is sent with every request.
	header map[string]string
}

// answer is a response, read to its end.
type answer struct {
	status int
	header http.Header
	body   string
}

// newPerson is a visitor who reads English.
func newPerson(s *site) *person {
	jar, _ := cookiejar.New(nil) // it fails for no options but wrong ones
	return &person{site: s, header: map[string]string{"Accept-Language": "en"}, http: &http.Client{
		Jar:           jar,
		Timeout:       startLimit,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 1, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// newMember is a person who has signed in.
func newMember(t *testing.T, s *site, login, password string) *person {
	t.Helper()
	p := newPerson(s)
	a := p.post(t, "/user/login", url.Values{"usuario": {login}, "acceso": {password}})
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/home/panel" {
		t.Fatalf("sign-in of %s: status %d, location %q", login, a.status, a.header.Get("Location"))
	}
	return p
}

// send makes a request. A nil form is no body.
func (p *person) send(method, path string, form url.Values, header map[string]string) (answer, error) {
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, p.site.url(path), body)
	if err != nil {
		return answer{}, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, h := range []map[string]string{p.header, header} {
		for name, value := range h {
			r.Header.Set(name, value)
		}
	}
	return p.do(r)
}

// do sends a request and reads the answer.
func (p *person) do(r *http.Request) (answer, error) {
	response, err := p.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, string(text)}, err
}

// get reads a page; the test ends if there is no answer.
func (p *person) get(t *testing.T, path string) answer {
	t.Helper()
	a, err := p.send(http.MethodGet, path, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// post sends a form; the test ends if there is no answer.
func (p *person) post(t *testing.T, path string, form url.Values) answer {
	t.Helper()
	if form == nil {
		form = url.Values{}
	}
	a, err := p.send(http.MethodPost, path, form, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// cookie is the value of the person's session cookie, "" if there is none.
func (p *person) cookie() string { return p.named("session") }

// named is the value of a cookie, "" if there is none.
func (p *person) named(name string) string {
	u, _ := url.Parse(p.site.url("/"))
	for _, c := range p.http.Jar.Cookies(u) {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// bearer is a second browser that holds a copy of this value as its cookie.
func bearer(s *site, cookie string) *person {
	p := newPerson(s)
	p.http.Jar = nil
	p.header["Cookie"] = "session=" + cookie
	return p
}

// report is what /debug/session answers, with NOW LMS's names.
type report struct {
	Worker        struct{ PID int }
	Authenticated bool
	CurrentUser   *struct{ ID, Usuario, Tipo string } `json:"current_user"`
}

// name is who is signed in, "" for nobody.
func (r report) name() string {
	if !r.Authenticated || r.CurrentUser == nil {
		return ""
	}
	return r.CurrentUser.Usuario
}

// whoami asks the site whom it takes this person for.
func (p *person) whoami() (report, error) {
	var r report
	a, err := p.send(http.MethodGet, "/debug/session", nil, nil)
	if err != nil {
		return r, err
	}
	if a.status != http.StatusOK {
		return r, fmt.Errorf("/debug/session answered %d: %s", a.status, a.body)
	}
	return r, json.Unmarshal([]byte(a.body), &r)
}

// isKnownAs fails the test if the site takes the person for somebody else;
// "" is a visitor.
func (p *person) isKnownAs(t *testing.T, name string) {
	t.Helper()
	if r, err := p.whoami(); err != nil || r.name() != name {
		t.Errorf("the site takes the person for %q (error %v), expected %q", r.name(), err, name)
	}
}

// links gives what a pattern's group matches in a page, each once.
func links(page, pattern string) []string {
	var found []string
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(page, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			found = append(found, m[1])
		}
	}
	return found
}
