package server_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/server"
)

// itoa is a number as text.
func itoa(n int) string { return strconv.Itoa(n) }

// echo is a handler that answers a route with what its steps tell.
func echo(pattern string) abi.Manifest {
	return abi.Manifest{Name: "echo", Routes: []abi.Route{{Pattern: pattern}}}
}

// TestTrailersReachTheClient sends trailers through a handler, by HTTP.
func TestTrailersReachTheClient(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, echo("POST /echo"),
		">tell X-Got header 2 X-Sum", ">tell X-Names names 2", ">body 1 the body", ">set 3 X-Check abc", ">add 3 X-Check def",
		">set 3 Content-Type text/plain", ">set 3 X-Frame-Options none", ">set 3 Authorization x", ">tell X-Set header 3 x-check")))
	web := httptest.NewServer(s.Handler())
	defer web.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, web.URL+"/echo", io.NopCloser(strings.NewReader("sent")))
	if err != nil {
		t.Fatal(err)
	}
	r.Trailer = http.Header{"X-Sum": {"4"}}
	w, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(w.Body)
	if err != nil || string(body) != "the body" || w.StatusCode != 200 {
		t.Errorf("status %d, %q, %v", w.StatusCode, body, err)
	}
	if got := got(w.Header, "X-Got", "X-Names", "X-Set"); got != "4 x-sum abc|def" {
		t.Errorf("the handler saw %s", got)
	}
	if got := got(w.Trailer, "X-Check"); got != "abc+def" || len(w.Trailer) != 1 {
		t.Errorf("the client got the trailers %v", w.Trailer)
	}
}

// TestTrailersThroughMiddleware lets the one in front see the trailers of the
// one behind, and both add to them.
func TestTrailersThroughMiddleware(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(
		scripted(t, echo("POST /echo"), ">tell X-Got header 2 X-Sum", ">add 3 X-Check behind", ">set 3 X-Gone x"),
		scripted(t, guard("echo"), ">add 2 X-Sum more", ">add 3 X-Check before", ">next 0",
			"<tell X-Seen names 3", "<tell X-Was header 3 X-Check", "<add 3 X-Check after", "<remove 3 X-Gone")))
	r := request(http.MethodPost, "/echo", nil)
	r.Trailer = http.Header{"X-Sum": {"4"}}
	w := s.do(r).Result()
	if got := got(w.Header, "X-Got", "X-Seen", "X-Was"); got != "4|more x-check|x-gone before|behind" {
		t.Errorf("the handlers saw %s", got)
	}
	if got := got(w.Trailer, "X-Check"); got != "before+behind+after" || len(w.Trailer) != 1 {
		t.Errorf("the trailers are %v", w.Trailer)
	}
}

// TestNoTrailerWithoutABody leaves them out where HTTP has no place for them.
func TestNoTrailerWithoutABody(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(
		scripted(t, echo("GET /echo"), ">body 1 the body", ">set 3 X-Check abc"),
		scripted(t, abi.Manifest{Name: "none", Routes: []abi.Route{{Pattern: "GET /none"}}}, ">status 204", ">set 3 X-Check abc")))
	for target, want := range map[string]string{"HEAD /echo": "8", "GET /none": ""} {
		method, path, _ := strings.Cut(target, " ")
		w := s.do(request(method, path, nil))
		if w.Header().Get("Trailer") != "" || w.Header().Get("Content-Length") != want || w.Body.Len() > 0 {
			t.Errorf("%s: %v, %d bytes", target, w.Header(), w.Body.Len())
		}
	}
}

// TestRequestAsTheGuestSeesIt shows the client's address with its port, the
// protocol, and no way to learn what the host keeps back.
func TestRequestAsTheGuestSeesIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *server.Options) {
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}
		with(scripted(t, echo("POST /echo"),
			">tell X-Source source", ">tell X-Proto proto", ">tell X-Names names 0", ">tell X-Length header 0 content-length", ">tell X-Log log"))(o)
	})
	for _, tt := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:4711", "", "203.0.113.9:4711"},
		{"203.0.113.9:4711", "198.51.100.1", "203.0.113.9:4711"},
		{"[2001:db8::1]:80", "", "[2001:db8::1]:80"},
		{"192.0.2.7:4711", "198.51.100.1", "198.51.100.1:0"},
		{"192.0.2.7:4711", "", "192.0.2.7:4711"},
	} {
		r := httptest.NewRequest(http.MethodPost, "http://site.example/echo", strings.NewReader("12345"))
		r.RemoteAddr = tt.remote
		if tt.forwarded != "" {
			r.Header.Set("X-Forwarded-For", tt.forwarded)
		}
		r.Header.Set("Content-Length", "5")
		r.Header.Set("Cookie", "session=x")
		r.Header.Set("Authorization", "Bearer x")
		h := s.do(r).Header()
		if h.Get("X-Source") != tt.want {
			t.Errorf("from %s by way of %q: %q, want %q", tt.remote, tt.forwarded, h.Get("X-Source"), tt.want)
		}
		if got := got(h, "X-Proto", "X-Length", "X-Log"); got != "HTTP/1.1 5 10" {
			t.Errorf("protocol, length and log: %s", got)
		}
		if names := h.Get("X-Names"); strings.Contains(names, "cookie") || strings.Contains(names, "authorization") || !strings.Contains(names, "host") {
			t.Errorf("the handler sees the headers %s", names)
		}
	}
}

// TestAuthorizationNeedsARight shows the header to the handler that may see it,
// in front of another or behind one, and keeps its answer private.
func TestAuthorizationNeedsARight(t *testing.T) {
	t.Parallel()
	rights := []string{abi.RightAuthorization}
	look := func(name string) string { return ">tell X-" + name + " header 0 Authorization" }
	for _, tt := range []struct {
		front, back              []string
		sent, seen, behind, kept string
	}{
		{nil, nil, "Basic eA==", "", "", "no-cache"},
		{rights, nil, "Basic eA==", "Basic eA==", "", "private, no-cache"},
		{nil, rights, "Basic eA==", "", "Basic eA==", "private, no-cache"},
		{rights, rights, "Basic eA==", "Basic eA==", "Basic eA==", "private, no-cache"},
		{rights, rights, "", "", "", "private, no-cache"},
	} {
		s := newSite(t, with(
			scripted(t, abi.Manifest{Name: "front", Next: "back", Rights: tt.front}, look("Front"), ">tell X-Names names 0", ">set 0 Authorization forged", ">next 0"),
			scripted(t, abi.Manifest{Name: "back", Routes: []abi.Route{{Pattern: "GET /back"}}, Rights: tt.back}, look("Back"))))
		r := request(http.MethodGet, "/back", nil)
		if tt.sent != "" {
			r.Header.Set("Authorization", tt.sent)
		}
		h := s.do(r).Header()
		if h.Get("X-Front") != tt.seen || h.Get("X-Back") != tt.behind || h.Get("Cache-Control") != tt.kept {
			t.Errorf("%v and %v: in front %q, behind %q, %s", tt.front, tt.back, h.Get("X-Front"), h.Get("X-Back"), h.Get("Cache-Control"))
		}
		if strings.Contains(h.Get("X-Names"), "authorization") != (tt.seen != "") {
			t.Errorf("the names in front are %s", h.Get("X-Names"))
		}
	}
}

// TestTooMuch stops handlers that answer with more than they may, in front of
// another and behind one.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1024)
	m := abi.Manifest{Name: "much", Next: "trouble", Limits: abi.Limits{ResponseKiB: 1}, Write: []string{"much/"}}
	for _, step := range []string{">body 1 ", "<body 1 "} {
		for text, status := range map[string]int{long: 200, long + "x": 500} {
			s := newSite(t, with(scripted(t, m, ">put much/a b", step+text, ">next 0", step+"")))
			w := s.do(request(http.MethodPost, "/trouble/count", nil))
			stored := s.value("much/a") != "-" && s.value("trouble/n") != "-"
			if w.Code != status || stored != (status == 200) {
				t.Errorf("%s with %d bytes: status %d, stored %t", step, len(text), w.Code, stored)
			}
		}
	}
}
