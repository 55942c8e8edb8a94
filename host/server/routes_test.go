package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/server"
)

// TestRoutes asks for every kind of path.
func TestRoutes(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tests := []struct {
		method, path string
		status       int
		allow        string
		location     string
	}{
		{"GET", "/", 200, "", ""},
		{"GET", "/home", 200, "", ""},
		{"HEAD", "/home", 200, "", ""},
		{"GET", "/nowhere", 404, "", ""},
		{"GET", "/course/none/view", 404, "", ""},
		{"GET", "/%2e%2e/%2e%2e/etc/passwd", 404, "", ""},
		{"GET", "/home/", 404, "", ""},
		{"POST", "/home", 405, "GET, HEAD", ""},
		{"GET", "/user/logout", 405, "POST", ""},
		{"DELETE", "/user/login", 405, "GET, HEAD, POST", ""},
		{"BREW", "/home", 405, "GET, HEAD", ""},
		{"GET", "//home", 0, "", "/home"},
		{"GET", "/course/../home", 0, "", "/home"},
		{"GET", "/perfil", 303, "", "/user/login?next=%2Fperfil"},
		{"GET", "/perfil?a=b&c=d", 303, "", "/user/login?next=%2Fperfil%3Fa%3Db%26c%3Dd"},
		{"POST", "/perfil", 303, "", "/user/login"},
		{"GET", "/trouble/status/404", 404, "", ""},
		{"GET", "/trouble/status/403", 403, "", ""},
		{"GET", "/trouble/status/410", 410, "", ""},
		{"GET", "/trouble/status/429", 429, "", ""},
		{"GET", "/trouble/status/500", 500, "", ""},
		{"GET", "/trouble/status/503", 503, "", ""},
	}
	for _, tt := range tests {
		w := s.do(httptest.NewRequest(tt.method, "http://site.example"+tt.path, nil))
		redirected := tt.status == 0 && w.Code/100 == 3
		if w.Code != tt.status && !redirected {
			t.Errorf("%s %s: status %d, want %d", tt.method, tt.path, w.Code, tt.status)
		}
		if allow := w.Header().Get("Allow"); !slices.Equal(sorted(allow), sorted(tt.allow)) {
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.path, allow, tt.allow)
		}
		if got := w.Header().Get("Location"); got != tt.location {
			t.Errorf("%s %s: Location %q, want %q", tt.method, tt.path, got, tt.location)
		}
		if w.Code >= 400 && !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("%s %s: the error page lacks the request's id", tt.method, tt.path)
		}
	}
}

// sorted takes a list in a header apart.
func sorted(list string) []string {
	parts := strings.Split(list, ", ")
	slices.Sort(parts)
	return parts
}

// TestErrorPages are the site's own, in the reader's language, with the menu.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cookie := s.signIn("ada")
	for path, status := range map[string]int{"/nowhere": 404, "/trouble/status/403": 403} {
		r := request(http.MethodGet, path, nil)
		r.Header.Set("Accept-Language", "es")
		r.AddCookie(cookie)
		w := s.do(r)
		for _, part := range []string{`<html lang="es"`, "<nav", "Test site", "ada"} {
			if w.Code != status || !strings.Contains(w.Body.String(), part) {
				t.Errorf("%s: status %d, without %s", path, w.Code, part)
			}
		}
	}
}

// TestHeadHasNoBody gives the headers of GET alone.
func TestHeadHasNoBody(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(newSite(t, nil).Handler())
	defer web.Close()
	for _, path := range []string{"/home", "/nowhere", "/static/app.js", "/trouble/status/500"} {
		get, err := web.Client().Get(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(get.Body)
		head, err := web.Client().Head(web.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		nothing, _ := io.ReadAll(head.Body)
		if len(nothing) != 0 || len(body) == 0 || head.StatusCode != get.StatusCode || head.ContentLength != get.ContentLength {
			t.Errorf("%s: GET %d with %d bytes, HEAD %d with %d, length %d", path, get.StatusCode, len(body), head.StatusCode, len(nothing), head.ContentLength)
		}
		_, _ = get.Body.Close(), head.Body.Close()
	}
}

// TestRoles lets people into routes that require one.
func TestRoles(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for login, want := range map[string]int{"": 303, "ada": 403, "grace": 200, "boss": 200} {
		r := request(http.MethodGet, "/trouble/staff", nil)
		if login != "" {
			r.AddCookie(s.signIn(login))
		}
		if w := s.do(r); w.Code != want {
			t.Errorf("%q: status %d, want %d", login, w.Code, want)
		}
	}
}

// TestSignInReturnsToThePageOfTheForm sends a POST without a session: the way
// back is the page that the form was on, never another site's.
func TestSignInReturnsToThePageOfTheForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for referer, want := range map[string]string{
		"http://site.example/course/a/view?x=1": "/user/login?next=%2Fcourse%2Fa%2Fview%3Fx%3D1",
		"http://evil.example/course/a/view":     "/user/login",
		"http://site.example":                   "/user/login",
		"::nonsense":                            "/user/login",
		"":                                      "/user/login",
	} {
		r := request(http.MethodPost, "/perfil", url.Values{})
		r.Header.Set("Referer", referer)
		if w := s.do(r); w.Code != 303 || w.Header().Get("Location") != want {
			t.Errorf("from %q: %d to %q, want %q", referer, w.Code, w.Header().Get("Location"), want)
		}
	}
}

// TestOneRouteTwiceIsRefused names both that want it.
func TestOneRouteTwiceIsRefused(t *testing.T) {
	t.Parallel()
	all := handlers(t)
	o := server.Options{Logger: slog.New(slog.DiscardHandler), Timeout: time.Second, Handlers: []*engine.Handler{all[0], all[1], all[0]}}
	_, err := server.New(o)
	if err == nil || !strings.Contains(err.Error(), "trouble: there are two handlers of this name") {
		t.Errorf("one handler twice: %v", err)
	}
	o.Handlers = all
	o.Native = map[string]http.Handler{"GET /home": http.NotFoundHandler(), "GET /healthz": http.NotFoundHandler()}
	if _, err = server.New(o); err == nil || !strings.Contains(err.Error(), "catalog") || !strings.Contains(err.Error(), `"GET /home"`) || !strings.Contains(err.Error(), "host") {
		t.Errorf("a route of the host and of a handler: %v", err)
	}
	if strings.Contains(err.Error(), "/healthz") {
		t.Errorf("a route that is wanted once is named: %v", err)
	}
}
