package server_test

import (
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/server"
)

// around is a handler that puts its letter before and behind the letters that
// the others have put into a header.
func around(t *testing.T, name, next string) *engine.Handler {
	t.Helper()
	return scripted(t, abi.Manifest{Name: name, Next: next}, ">add 1 X-Order "+name, ">next 0", "<add 1 X-Order "+name)
}

// TestOrder stands several handlers in front of one, and two in front of the
// whole site.
func TestOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(around(t, "d", "*"), around(t, "a", "b"), around(t, "b", "trouble"), around(t, "c", "d"),
		scripted(t, abi.Manifest{Name: "hidden", Internal: true, Routes: []abi.Route{{Pattern: "GET /hidden"}}}, ">body 1 hidden"),
		scripted(t, gate("hidden", "GET /gate"), ">uri /hidden", ">next 0")))
	for _, tt := range []struct {
		path   string
		status int
		want   string
	}{
		{"/home", 200, "c+d+d+c"}, {"/trouble/public", 200, "c+d+a+b+b+a+d+c"}, {"/gate", 200, "c+d+d+c"}, {"/hidden", 404, ""},
		{"/static/app.js", 200, ""}, // the host's own
	} {
		if w := s.get(tt.path); w.Code != tt.status || got(w.Header(), "X-Order") != tt.want {
			t.Errorf("%s: status %d, %s, want %d and %s", tt.path, w.Code, got(w.Header(), "X-Order"), tt.status, tt.want)
		}
	}
}

// TestHosts serves a name of the site's own by a handler of its own, which
// takes nothing from the pages of other names.
func TestHosts(t *testing.T) {
	t.Parallel()
	m := abi.Manifest{Name: "api", Routes: []abi.Route{{Pattern: "GET api.example/{path...}"}, {Pattern: "HEAD api.example/{$}"}}}
	s := newSite(t, with(scripted(t, m, ">tell X-Method method", ">tell X-Route route", ">body 1 api")))
	for _, tt := range []struct{ method, url, want string }{
		{"GET", "http://api.example/home", "GET GET api.example/{path...}"},
		{"GET", "http://api.example:8080/", "GET GET api.example/{path...}"},
		{"HEAD", "http://api.example/home", "GET GET api.example/{path...}"},
		{"HEAD", "http://api.example/", "HEAD HEAD api.example/{$}"},
		{"GET", "http://site.example/home", " "},
	} {
		r := request(tt.method, "/", nil)
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		r.URL, r.Host, r.RequestURI = u, u.Host, u.RequestURI()
		w := s.do(r)
		if got := got(w.Header(), "X-Method", "X-Route"); w.Code != 200 || got != tt.want {
			t.Errorf("%s %s: status %d, %q, want %q", tt.method, tt.url, w.Code, got, tt.want)
		}
		if tt.method == "HEAD" && w.Body.Len() > 0 {
			t.Errorf("%s %s: a body of %d bytes", tt.method, tt.url, w.Body.Len())
		}
	}
}

// TestPlanFaults refuses handlers that do not fit together, and names them.
func TestPlanFaults(t *testing.T) {
	t.Parallel()
	own := []abi.Route{{Pattern: "GET /own"}}
	for name, tt := range map[string]struct {
		manifests []abi.Manifest
		want      []string
	}{
		"no such handler":   {[]abi.Manifest{{Name: "a", Next: "none"}}, []string{`a: its next, "none", does not exist`}},
		"two of a name":     {[]abi.Manifest{{Name: "a", Routes: own}, {Name: "a", Routes: []abi.Route{{Pattern: "GET /other"}}}}, []string{"a: there are two handlers of this name"}},
		"one route twice":   {[]abi.Manifest{{Name: "a", Routes: own}, {Name: "b", Routes: own}}, []string{"b: route", "GET /own"}},
		"malformed pattern": {[]abi.Manifest{{Name: "a", Routes: []abi.Route{{Pattern: "GET /{x"}}}}, []string{"a: route", "GET /{x"}},
		"a circle":          {[]abi.Manifest{{Name: "a", Next: "b"}, {Name: "b", Next: "a"}}, []string{"a: its next leads back in a circle: a, b, a", "b: its next leads"}},
		"a circle behind":   {[]abi.Manifest{{Name: "a", Next: "b"}, {Name: "b", Next: "c", Routes: own}, {Name: "c", Next: "b", Routes: own}}, []string{"in a circle: a, b, c, b"}},
		"both in front": {[]abi.Manifest{{Name: "a", Routes: own}, {Name: "b", Next: "a"}, {Name: "c", Next: "a"}},
			[]string{`c: b stands in front of "a" already`}},
		"both in front of the site": {[]abi.Manifest{{Name: "a", Next: "*"}, {Name: "b", Next: "*"}}, []string{`b: a stands in front of "*" already`}},
		"back to the front":         {[]abi.Manifest{{Name: "a", Next: "*"}, {Name: "b", Next: "a", Routes: own}}, []string{"b: its next, a, stands in front of the whole site"}},
		"two error pages":           {[]abi.Manifest{{Name: "a", Errors: true}, {Name: "b", Errors: true}}, []string{"b: a makes the error pages already"}},
		"two sign-in pages": {[]abi.Manifest{{Name: "a", Routes: own, SignIn: "/own"}, {Name: "b", Routes: []abi.Route{{Pattern: "GET /b"}}, SignIn: "/b"}},
			[]string{"b: a has the sign-in page already"}},
		"no route in common behind": {[]abi.Manifest{{Name: "a", Internal: true, Routes: []abi.Route{{Pattern: "GET /{x}/b"}, {Pattern: "GET /a/{y}"}}}, {Name: "b", Next: "a"}}, []string{"conflict"}},
	} {
		var handlers []*engine.Handler
		for _, m := range tt.manifests {
			handlers = append(handlers, bare(t, m))
		}
		_, err := server.New(server.Options{Logger: slog.New(slog.DiscardHandler), Timeout: time.Second, Handlers: handlers})
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %q: %v", name, want, err)
			}
		}
	}
}

// TestSecretsBehindMiddleware signs in through handlers in front of the sign-in
// page, none of which gets to see the password.
func TestSecretsBehindMiddleware(t *testing.T) {
	t.Parallel()
	look := []string{">note 2 body 0", ">tell X-Length header 0 Content-Length", ">next 0"}
	for name, m := range map[string]abi.Manifest{
		"in front":             {Name: "spy", Next: "account"},
		"in front of the site": {Name: "spy", Next: "*"},
		"as a route":           {Name: "spy", Next: "account", Routes: []abi.Route{{Pattern: "POST /spy"}}},
	} {
		path, steps := "/user/login", look
		if len(m.Routes) > 0 {
			path, steps = "/spy", append([]string{">uri /user/login"}, look...)
		}
		s := newSite(t, with(scripted(t, m, steps...)))
		r := request(http.MethodPost, path, url.Values{"usuario": {"ada"}, "acceso": {password}, "name": {name}})
		r.Header.Set("Content-Length", "1000")
		w := s.do(r)
		if w.Code != http.StatusSeeOther || len(w.Result().Cookies()) != 1 {
			t.Errorf("%s: status %d, cookies %v\n%s", name, w.Code, w.Result().Cookies(), s.log)
		}
		shown := url.Values{"usuario": {"ada"}, "acceso": {""}, "name": {name}}.Encode()
		if log := sandboxLog.String(); strings.Contains(log, password[:7]) || !strings.Contains(log, shown) {
			t.Errorf("%s: the handler in front saw another form than %s: %s", name, shown, log)
		}
		if w.Header().Get("X-Length") != "" && w.Header().Get("X-Length") != itoa(len(shown)) {
			t.Errorf("%s: the length of the body is %s, and tells how long the password is", name, w.Header().Get("X-Length"))
		}
		r = request(http.MethodPost, path, url.Values{"acceso": {password}})
		r.Header.Set("Content-Type", "text/plain")
		if w := s.do(r); w.Code != http.StatusUnsupportedMediaType {
			t.Errorf("%s: a password in a body of another type: status %d", name, w.Code)
		}
	}
}
