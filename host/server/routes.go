package server

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// START HERE. Every request takes this way:
//
//	listener -> middleware (middleware.go): request id, address, limits,
//	            cross-origin check, security headers, log
//	         -> route (this file): the host's own endpoints, static files,
//	            and the patterns that the handlers' manifests name
//	         -> page (page.go): sign-in or role that the route requires,
//	            a transaction, a sandbox, commit, response
//	         -> error pages (errors.go)

// routes builds the table of all routes. There is one router, the host's: a
// handler is told which of its patterns matched, so the two can never read a
// path differently.
func (s *Server) routes() (http.Handler, error) {
	mux := http.NewServeMux()
	var faults []string
	add := func(owner, pattern string, h http.Handler) {
		defer func() {
			if r := recover(); r != nil {
				faults = append(faults, fmt.Sprintf("%s: route %q: %v", owner, pattern, r))
			}
		}()
		mux.Handle(pattern, h)
	}
	for pattern, h := range s.options.Native {
		add("host", pattern, h)
	}
	add("host", "GET /static/{name}", http.HandlerFunc(s.serveStatic))
	add("host", "GET /favicon.ico", http.HandlerFunc(s.serveStatic))
	for _, h := range s.options.Handlers {
		m := h.Manifest()
		if m.Internal {
			continue
		}
		for _, r := range m.Routes {
			add(m.Name, r.Pattern, s.page(h, r))
		}
		if m.Errors {
			s.errorPages = h
		}
		if m.SignIn != "" {
			s.signIn = m.SignIn
		}
	}
	if len(faults) > 0 {
		return nil, fmt.Errorf("server: the routes of the handlers do not fit together:\n%s", strings.Join(faults, "\n"))
	}
	return s.orNotFound(mux), nil
}

// orNotFound answers what no pattern matches with the site's own pages 404
// and 405 in place of the router's plain text, and leaves the rest to the router.
func (s *Server) orNotFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, pattern := mux.Handler(r)
		if pattern != "" {
			noteRoute(r, pattern)
			mux.ServeHTTP(w, r)
			return
		}
		probe := &verdict{header: http.Header{}, status: http.StatusOK}
		h.ServeHTTP(probe, r)
		if allow := probe.header.Get("Allow"); allow != "" {
			w.Header().Set("Allow", allow)
		}
		if probe.status >= 300 && probe.status < 400 {
			mux.ServeHTTP(w, r)
			return
		}
		s.fail(w, r, probe.status)
	})
}

// verdict records what the router would answer.
type verdict struct {
	header http.Header
	status int
}

// Header gives the recorded headers.
func (v *verdict) Header() http.Header { return v.header }

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
