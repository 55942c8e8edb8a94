package server

import (
	"net/http"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
)

// behindRoutes are routes behind a handler, for the router alone.
func behindRoutes(t testing.TB, patterns ...string) *http.ServeMux {
	t.Helper()
	p := newPlan(nil)
	mux := http.NewServeMux()
	for _, pattern := range patterns {
		p.add(mux, "behind", pattern, way{route: abi.Route{Pattern: pattern}})
	}
	if len(p.faults) > 0 {
		t.Fatal(p.faults)
	}
	return mux
}

// TestFind routes what handlers pass on.
func TestFind(t *testing.T) {
	t.Parallel()
	mux := behindRoutes(t, "GET /a/{x}", "POST /a/{x}", "GET /b/{rest...}", "GET api.example/a/{x}", "HEAD /h/{$}")
	for _, tt := range []struct {
		method, host, uri string
		pattern, value    string
		status            int
	}{
		{"GET", "", "/a/b%2Fc?d=e", "GET /a/{x}", "b/c", 0},
		{"HEAD", "", "/a/b", "GET /a/{x}", "b", 0},
		{"HEAD", "", "/h/", "HEAD /h/{$}", "", 0},
		{"GET", "", "/h/", "", "", 405},
		{"POST", "api.example", "/a/b", "POST /a/{x}", "b", 0},
		{"GET", "api.example:8080", "/a/b", "GET api.example/a/{x}", "b", 0},
		{"GET", "", "/b/c/d", "GET /b/{rest...}", "c/d", 0},
		{"PUT", "", "/a/b", "", "", 405},
		{"GET", "", "/a/b/c", "", "", 404},
		{"GET", "", "/b/../a/x", "", "", 307},
		{"GET", "", "*", "", "", 400},
		{"GET", "", "/%zz", "", "", 400},
		{"GET", "", "", "", "", 400},
	} {
		f := find(mux, tt.host, &engine.Request{Method: tt.method, URI: tt.uri})
		pattern, value := "", ""
		if f.way != nil {
			pattern = f.way.route.Pattern
		}
		if len(f.values) > 0 {
			value = f.values[0].Value
		}
		if pattern != tt.pattern || value != tt.value || f.way == nil && f.status != tt.status {
			t.Errorf("%s %s of %q: %q with %q, status %d; want %q, %q, %d", tt.method, tt.uri, tt.host, pattern, value, f.status, tt.pattern, tt.value, tt.status)
		}
	}
}

// FuzzFind routes whatever a handler makes of a request: to a route of the
// method, or to a status that says why not.
func FuzzFind(f *testing.F) {
	mux := behindRoutes(f, "GET /a/{x}", "POST /a/{x}", "GET /b/{rest...}", "GET api.example/a/{x}")
	for _, seed := range [][3]string{
		{"GET", "", "/a/b%2Fc?d=e"}, {"POST", "api.example:1", "/a/b"}, {"CONNECT", "", "/a/../b"}, {"GET", "[::1", "//a/b"}, {"OPTIONS", "", "*"},
		{"GET", "", "http://other/a/b"}, {"", "", ""}, {"HEAD", "API.example.", "/b/%00"}, {"GET", "", "/a/{x}"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, method, host, uri string) {
		found := find(mux, host, &engine.Request{Method: method, URI: uri})
		if found.way == nil && found.status < 300 {
			t.Errorf("no route and status %d", found.status)
		}
		if found.way != nil && methodFor(found.way.route.Pattern, method) != "GET" && method != "POST" {
			t.Errorf("%q was routed to %s", method, found.way.route.Pattern)
		}
	})
}
