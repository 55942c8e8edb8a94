package sitetest

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Person is somebody with a browser: it keeps cookies and follows no redirect
// by itself. One goroutine uses it at a time.
type Person struct {
	site   *Site
	client *http.Client
}

// Answer is a response, read to its end.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// SignIn is a person who has signed in; the test ends if that is refused.
func (s *Site) SignIn(t testing.TB, login, password string) *Person {
	t.Helper()
	p := s.Visitor()
	if a := p.Post(t, "/user/login", url.Values{"usuario": {login}, "acceso": {password}}); a.Status != http.StatusSeeOther {
		t.Fatalf("sign-in of %s: status %d\n%s", login, a.Status, a.Body)
	}
	return p
}

// Get asks for a page; the test ends if there is no answer.
func (p *Person) Get(t testing.TB, path string) Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.site.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.Do(t, r)
}

// Post sends a form; the test ends if there is no answer.
func (p *Person) Post(t testing.TB, path string, form url.Values) Answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.site.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return p.Do(t, r)
}

// Do sends any request to the site.
func (p *Person) Do(t testing.TB, r *http.Request) Answer {
	t.Helper()
	response, err := p.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
}
