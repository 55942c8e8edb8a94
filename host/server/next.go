package server

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
)

// finding is how a request that is passed on finds its route: the routers
// behind handlers write to it as if it were a response.
type finding struct {
	verdict
	way    *way
	values []abi.Field
}

// ServeHTTP makes a route the handler of a router: it notes that it matched.
func (w way) ServeHTTP(to http.ResponseWriter, r *http.Request) {
	f := to.(*finding)
	f.way, f.values = &w, pathFields(w.route.Pattern, r)
}

// find gives the route for a request that is passed on. If there is none, the
// finding holds the status and headers to answer with.
func find(mux *http.ServeMux, host string, q *engine.Request) *finding {
	f := &finding{verdict: verdict{status: http.StatusOK}}
	target, err := url.ParseRequestURI(q.URI)
	if err != nil {
		f.status = http.StatusBadRequest
		return f
	}
	mux.ServeHTTP(f, &http.Request{Method: q.Method, URL: target, RequestURI: q.URI, Host: host, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}})
	return f
}

// passOn gives what a handler's sandbox calls when the handler passes its
// request on. The handler behind runs in a sandbox of its own with its own
// rights, in the same transaction.
func (s *Server) passOn(r *http.Request, j *job, tx *transaction.Tx, h *engine.Handler) func(context.Context, *engine.Exchange) error {
	mux := s.plan.behind[h]
	return func(ctx context.Context, x *engine.Exchange) error {
		if mux == nil {
			s.options.Logger.Warn("a handler passed a request on, but its manifest names no next", "request_id", infoOf(r).id, "handler", h.Manifest().Name)
			refuse(tx, x, http.StatusNotFound)
			return nil
		}
		f := find(mux, r.Host, &x.Request)
		if f.way == nil {
			for _, name := range []string{"Allow", "Location"} {
				if value := f.Header().Get(name); value != "" {
					x.Response.Header.Set(name, value)
				}
			}
			refuse(tx, x, f.status)
			return nil
		}
		if f.way.form && len(x.Request.Body) > 0 && j.scope.Form == nil {
			refuse(tx, x, http.StatusUnsupportedMediaType)
			return nil
		}
		account, admitted, err := tx.Admit(ctx, f.way.route.Require)
		switch {
		case err != nil:
			return err
		case admitted:
			return s.ask(ctx, r, j, tx, f, x)
		case account == nil && s.signIn != "":
			x.Response.Header.Set("Location", s.signInFor(r))
			refuse(tx, x, http.StatusSeeOther)
		default:
			refuse(tx, x, http.StatusForbidden)
		}
		return nil
	}
}

// ask lets the handler behind answer into the response of the one in front.
// As with net/http, what is there already stays until it sets it anew.
func (s *Server) ask(ctx context.Context, r *http.Request, j *job, tx *transaction.Tx, f *finding, x *engine.Exchange) error {
	q := x.Request
	q.Method = methodFor(f.way.route.Pattern, q.Method)
	q.Header, q.Trailer = q.Header.Clone(), q.Trailer.Clone()
	setLength(q.Header, len(q.Body))
	part := tx.Behind(f.way.handler.Manifest(), f.way.route.Pattern, f.values, isSafe(q.Method))
	showAuthorization(q.Header, r, part)
	inner := &engine.Exchange{Request: q, Response: x.Response, Calls: part, Next: s.passOn(r, j, part, f.way.handler)}
	if err := f.way.handler.Serve(ctx, inner); err != nil {
		tx.Spoil()
		return err
	}
	x.Response = inner.Response
	if x.Response.Header.Get(errorHeader) != "" {
		tx.Spoil()
	}
	return nil
}

// refuse answers for a handler behind that cannot be asked, or not so: with
// the site's error page for a status, unless the handler in front has a page
// of its own for it. A redirect is no failure.
func refuse(tx *transaction.Tx, x *engine.Exchange, status int) {
	x.Response.Status, x.Response.Body = status, nil
	if status >= 400 {
		x.Response.Header.Set(errorHeader, "1")
		tx.Spoil()
	}
}

// isSafe reports whether a method only reads.
func isSafe(method string) bool { return method == http.MethodGet || method == http.MethodHead }

// methodFor is the method that a handler is shown: GET for HEAD, unless its
// route is one of HEAD.
func methodFor(pattern, method string) string {
	if method == http.MethodHead && !strings.HasPrefix(pattern, http.MethodHead+" ") {
		return http.MethodGet
	}
	return method
}
