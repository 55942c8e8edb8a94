package server_test

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/server"
)

// native adds endpoints of the host that misbehave.
func native(o *server.Options) {
	o.Native = map[string]http.Handler{
		"GET /native/panic": http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("native words") }),
		"GET /native/half": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half an answer")
			panic("native words")
		}),
		"GET /healthz": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }),
	}
}

// TestSecurityHeadersAreEverywhere also on errors, redirects and panics.
func TestSecurityHeadersAreEverywhere(t *testing.T) {
	t.Parallel()
	s := newSite(t, native)
	ids := map[string]bool{}
	for _, r := range [][2]string{
		{"GET", "/home"}, {"GET", "/nowhere"}, {"POST", "/home"}, {"GET", "/perfil"}, {"GET", "/static/style.css"}, {"GET", "//home"},
		{"POST", "/trouble/panic"}, {"GET", "/native/panic"}, {"GET", "/healthz"}, {"GET", "/trouble/policy"}, {"GET", "/trouble/status/503"},
	} {
		h := s.do(request(r[0], r[1], nil)).Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'self'", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if !strings.HasPrefix(h.Get(name), want) {
				t.Errorf("%s %s: %s is %q", r[0], r[1], name, h.Get(name))
			}
		}
		id := h.Get("X-Request-Id")
		if ids[id] || len(id) != 16 || !strings.Contains(s.log.String(), "request_id="+id) {
			t.Errorf("%s %s: the id is %q", r[0], r[1], id)
		}
		ids[id] = true
		if h.Get("Strict-Transport-Security") != "" {
			t.Errorf("%s %s: HSTS without being asked for", r[0], r[1])
		}
	}
}

// TestNativePanic shows the plain page with the id, and logs the stack.
func TestNativePanic(t *testing.T) {
	t.Parallel()
	s := newSite(t, native)
	w := s.get("/native/panic")
	id := w.Header().Get("X-Request-Id")
	if w.Code != 500 || !strings.Contains(w.Body.String(), id) || strings.Contains(w.Body.String(), "native words") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	for _, want := range []string{"native words", "middleware_test.go", "status=500", id} {
		if !strings.Contains(s.log.String(), want) {
			t.Errorf("the log lacks %s: %s", want, s.log)
		}
	}
}

// TestHalfAnAnswerIsCut closes the connection, so that nobody takes the half
// for the whole, and still writes the log's line.
func TestHalfAnAnswerIsCut(t *testing.T) {
	t.Parallel()
	s := newSite(t, native)
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	answer, err := web.Client().Get(web.URL + "/native/half")
	if err == nil {
		_, err = io.ReadAll(answer.Body)
		_ = answer.Body.Close()
	}
	if err == nil || !strings.Contains(s.log.String(), `route="GET /native/half" status=200`) {
		t.Errorf("the answer ended with %v, log %s", err, s.log)
	}
}

// TestOtherSitesFormsAreRefused by either header that browsers send.
func TestOtherSitesFormsAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, tt := range []struct {
		method, name, value string
		refused             bool
	}{
		{"POST", "Sec-Fetch-Site", "cross-site", true}, {"POST", "Sec-Fetch-Site", "same-site", true},
		{"POST", "Sec-Fetch-Site", "same-origin", false}, {"POST", "Sec-Fetch-Site", "none", false},
		{"POST", "Origin", "https://evil.example", true}, {"POST", "Origin", "null", true},
		{"POST", "Origin", "http://site.example", false}, {"POST", "X-None", "", false}, {"GET", "Sec-Fetch-Site", "cross-site", false},
	} {
		path := "/trouble/count"
		if tt.method == http.MethodGet {
			path = "/trouble/read"
		}
		before := s.value("trouble/n")
		r := request(tt.method, path, nil)
		r.Header.Set(tt.name, tt.value)
		w := s.do(r)
		if refused := w.Code == 403; refused != tt.refused || (refused && (s.value("trouble/n") != before || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")))) {
			t.Errorf("%s with %s %s: status %d", tt.method, tt.name, tt.value, w.Code)
		}
	}
}

// TestHTTPSIsForced believes only trusted proxies about the scheme.
func TestHTTPSIsForced(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *server.Options) {
		native(o)
		o.ForceHTTPS, o.TrustedProxies = true, []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	tests := []struct {
		name, remote, proto, path string
		tls                       bool
		status                    int
	}{
		{"plain", "198.51.100.7:1", "", "/trouble/public?a=%20b", false, 308},
		{"TLS", "198.51.100.7:1", "", "/trouble/public", true, 200},
		{"behind the proxy", "192.0.2.1:1", "https", "/trouble/public", false, 200},
		{"behind the proxy, IPv4 in IPv6", "[::ffff:192.0.2.1]:1", "HTTPS", "/trouble/public", false, 200},
		{"plain to the proxy", "192.0.2.1:1", "http", "/trouble/public?a=%20b", false, 308},
		{"claimed by a stranger", "198.51.100.7:1", "https", "/trouble/public?a=%20b", false, 308},
		{"probe", "198.51.100.7:1", "", "/healthz", false, 200},
	}
	for _, tt := range tests {
		r := request(http.MethodGet, tt.path, nil)
		r.RemoteAddr = tt.remote
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		w := s.do(r)
		if w.Code != tt.status {
			t.Errorf("%s: status %d, want %d", tt.name, w.Code, tt.status)
		}
		if hsts := w.Header().Get("Strict-Transport-Security") != ""; hsts != (tt.status == 200 && tt.path != "/healthz") {
			t.Errorf("%s: HSTS %t", tt.name, hsts)
		}
		if tt.status == 308 && w.Header().Get("Location") != "https://site.example/trouble/public?a=%20b" {
			t.Errorf("%s: to %q", tt.name, w.Header().Get("Location"))
		}
	}
}

// TestRequestsAreLoggedAndObserved by route, never by path, without secrets.
func TestRequestsAreLoggedAndObserved(t *testing.T) {
	t.Parallel()
	var seen []string
	s := newSite(t, func(o *server.Options) {
		native(o)
		o.Observe = func(route string, status int, took time.Duration) {
			if took <= 0 {
				t.Errorf("%s took %v", route, took)
			}
			seen = append(seen, fmt.Sprint(route, " ", status))
		}
	})
	s.get("/course/some-code/view?q=private-query")
	s.get("/nowhere/private-path")
	s.get("/native/panic")
	s.do(request(http.MethodPost, "/user/login", url.Values{"usuario": {"private-login"}, "acceso": {"private-password"}}))
	want := []string{"GET /course/{code}/view 404", "unmatched 404", "GET /native/panic 500", "POST /user/login 401"}
	if !slices.Equal(seen, want) {
		t.Errorf("observed %q, want %q", seen, want)
	}
	if strings.Contains(s.log.String(), "private-") {
		t.Errorf("the log has what it must not: %s", s.log)
	}
}

// TestShutdownLetsRequestsEnd serves on a real listener: the request under way
// is answered, and later ones are not accepted.
func TestShutdownLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	begun, release := make(chan bool), make(chan bool)
	s := newSite(t, func(o *server.Options) {
		o.Native = map[string]http.Handler{"GET /slow": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			begun <- true
			<-release
			_, _ = io.WriteString(w, "done")
		})}
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served, stopped := make(chan error, 1), make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /slow HTTP/1.1\r\nHost: site.example\r\n\r\n")
	<-begun
	go func() { stopped <- s.Shutdown(t.Context(), time.Millisecond) }()
	if err := <-served; err != nil {
		t.Errorf("Serve: %v", err)
	}
	if !s.Stopping() {
		t.Error("a server that stops does not say so")
	}
	if late, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("a connection was accepted after Shutdown", late.Close())
	}
	close(release)
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if string(body) != "done" || err != nil {
		t.Errorf("the request under way got %q, %v", body, err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("Shutdown: %v", err)
	}
}
