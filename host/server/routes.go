package server

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// START HERE. Every request takes this way:
//
//	listener -> middleware (middleware.go): request id, address, limits,
//	            cross-origin check, security headers, log
//	         -> route (this file): the host's own endpoints, static files,
//	            and the patterns that the handlers' manifests name
//	            (plan.go: who stands in front of whom)
//	         -> page (page.go): sign-in or role that the route requires,
//	            a transaction, a sandbox, commit, response
//	         -> next.go: what a handler passes on to the one behind it
//	         -> error pages (errors.go)

// routes builds the table of all routes. There is one router, the host's: a
// handler is told which of its patterns matched, so the two can never read a
// path differently.
func (s *Server) routes() (http.Handler, error) {
	p := newPlan(s.options.Handlers)
	s.plan = p
	mux := http.NewServeMux()
	for pattern, h := range s.options.Native {
		p.add(mux, "host", pattern, behindGate(h))
	}
	p.add(mux, "host", "GET /static/{name}", behindGate(http.HandlerFunc(s.serveStatic)))
	p.add(mux, "host", "GET /favicon.ico", behindGate(http.HandlerFunc(s.serveStatic)))
	for _, w := range p.public {
		p.add(mux, w.owner.Manifest().Name, w.route.Pattern, behindGate(s.page(w)))
	}
	for _, h := range s.options.Handlers {
		if m := h.Manifest(); m.Errors {
			s.errorPages = h
		}
		if m := h.Manifest(); m.SignIn != "" {
			s.signIn = m.SignIn
		}
	}
	if len(p.faults) > 0 {
		slices.Sort(p.faults)
		return nil, fmt.Errorf("server: the handlers do not fit together:\n%s", strings.Join(slices.Compact(p.faults), "\n"))
	}
	return s.orNotFound(mux), nil
}

// orNotFound answers what no pattern matches with the site's own pages 404
// and 405 in place of the router's plain text, and leaves the rest to the router.
func (s *Server) orNotFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := gate{to: w, verdict: verdict{status: http.StatusOK}}
		mux.ServeHTTP(&g, r)
		if g.matched {
			return
		}
		if g.status >= 300 && g.status < 400 {
			redirect, _ := mux.Handler(r)
			redirect.ServeHTTP(w, r)
			return
		}
		if allow := g.Header().Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		s.fail(w, r, g.status)
	})
}

// gate is the response as the router sees it. Routes reach the real one
// through it; what the router itself answers stays in the verdict.
type gate struct {
	verdict
	to      http.ResponseWriter
	matched bool
}

// behindGate makes a handler a route of a router that orNotFound asks.
func behindGate(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g := w.(*gate)
		g.matched = true
		infoOf(r).route = r.Pattern
		h.ServeHTTP(g.to, r)
	})
}

// verdict records what the router would answer.
type verdict struct {
	header http.Header
	status int
}

// Header gives the recorded headers.
func (v *verdict) Header() http.Header {
	if v.header == nil {
		v.header = http.Header{}
	}
	return v.header
}

// WriteHeader records the status.
func (v *verdict) WriteHeader(status int) { v.status = status }

// Write drops the router's text.
func (v *verdict) Write(p []byte) (int, error) { return len(p), nil }

// pathFields lists what the wildcards of a pattern matched.
func pathFields(pattern string, r *http.Request) []abi.Field {
	var fields []abi.Field
	for rest := pattern; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			return fields
		}
		name, tail, _ := strings.Cut(after, "}")
		rest = tail
		if name = strings.TrimSuffix(name, "..."); name != "" && name != "$" {
			fields = append(fields, abi.Field{Name: name, Value: r.PathValue(name)})
		}
	}
}
