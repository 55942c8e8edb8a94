package server

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv"
	"golang.org/x/net/http/httpguts"
)

// errorHeader is how the SDK says "the error page for my status".
const errorHeader = "Lectern-Error"

// page answers a route of a handler.
func (s *Server) page(way way) http.Handler {
	secrets := s.plan.secrets(way.handler)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j, status := s.newJob(w, r, way, secrets)
		if status != 0 {
			s.fail(w, r, status)
			return
		}
		s.run(w, r, j)
	})
}

// run takes a job through sandbox and commit, and until its deadline again
// and again if other requests change what it read.
func (s *Server) run(w http.ResponseWriter, r *http.Request, j job) {
	conflicts, room := 0, takeRoom()
	defer room.giveBack()
	for r.Context().Err() == nil {
		tx := s.options.World.Begin(j.scope)
		if done := s.admit(w, r, tx, j); done {
			return
		}
		x := s.newExchange(r, j, tx)
		x.Response.Body = room.bytes[:0]
		if err := s.serve(r.Context(), j, tx, x); err != nil {
			s.handlerFailed(w, r, j, tx, err)
			return
		}
		if x.Response.Header.Get(errorHeader) != "" {
			s.refused(w, r, j, tx, x)
			return
		}
		cookies, err := tx.Commit(r.Context())
		if err == nil {
			s.respond(w, r, j, tx, x, cookies)
			room.bytes = x.Response.Body // it may have grown
			return
		}
		if !errors.Is(err, kv.ErrConflict) {
			s.storeFailed(w, r, j, err)
			return
		}
		if conflicts++; conflicts > 1 {
			pause(r.Context(), conflicts)
		} else if end, ok := s.turns.take(r.Context(), r.URL.Path); ok {
			defer end()
		}
	}
	s.options.Logger.Error("a request found no end of conflicts", "request_id", infoOf(r).id, "route", j.scope.Pattern, "conflicts", conflicts)
	s.plainError(w, r, http.StatusServiceUnavailable)
}

// serve lets the handler answer, and tells of it whoever traces.
func (s *Server) serve(ctx context.Context, j job, tx *transaction.Tx, x *engine.Exchange) error {
	if s.options.Trace == nil {
		return j.handler.Serve(ctx, x)
	}
	begin := time.Now()
	err := j.handler.Serve(ctx, x)
	s.options.Trace(Run{Handler: j.handler, Scope: j.scope, Tx: tx, Err: err, Took: time.Since(begin)})
	return err
}

// admit checks what the route requires of the reader. It reports true if it
// has answered the request itself.
func (s *Server) admit(w http.ResponseWriter, r *http.Request, tx *transaction.Tx, j job) bool {
	account, admitted, err := tx.Admit(r.Context(), j.require)
	switch {
	case err != nil:
		s.storeFailed(w, r, j, err)
	case admitted:
		return false
	case account == nil:
		s.sendToSignIn(w, r)
	default:
		s.fail(w, r, http.StatusForbidden)
	}
	return true
}

// sendToSignIn remembers where the reader wanted to go, if it can be gone to.
func (s *Server) sendToSignIn(w http.ResponseWriter, r *http.Request) {
	if s.signIn == "" {
		s.fail(w, r, http.StatusForbidden)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, s.signInFor(r), http.StatusSeeOther)
}

// signInFor is the address of the sign-in page that leads back to a request.
func (s *Server) signInFor(r *http.Request) string {
	if r.Method == http.MethodGet {
		return s.signIn + "?next=" + url.QueryEscape(r.URL.RequestURI())
	}
	if back, err := url.Parse(r.Referer()); err == nil && back.Host == r.Host && back.Path != "" {
		return s.signIn + "?next=" + url.QueryEscape(back.RequestURI())
	}
	return s.signIn
}

// respond sends what the handler wrote, after its effects are stored.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, j job, tx *transaction.Tx, x *engine.Exchange, cookies []*http.Cookie) {
	h := w.Header()
	for name, values := range x.Response.Header {
		if _, own := h[name]; !own { // no handler loosens the host's policy
			h[name] = values
		}
	}
	for _, c := range cookies {
		http.SetCookie(w, c)
	}
	h["Cache-Control"] = cacheControl(r, tx)
	h["Vary"] = append(slices.Clip(h["Vary"]), "Cookie, Accept-Language")
	status := x.Response.Status
	if j.status != 0 {
		status = j.status
	}
	hasBody := status != http.StatusNoContent && status != http.StatusNotModified
	trailer := trailerOf(x, h)
	if len(trailer) > 0 && hasBody && r.Method != http.MethodHead {
		h["Trailer"] = slices.Sorted(maps.Keys(trailer)) // and no length: only then can HTTP/1.1 have trailers
	} else if hasBody {
		h["Content-Length"] = lengthOf(x.Response.Body)
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	maps.Copy(h, trailer) // net/http sends what is announced and set by now
	if _, err := w.Write(x.Response.Body); err != nil {
		s.options.Logger.Debug("the reader went away", "request_id", infoOf(r).id, "error", err)
	}
}

// trailerOf gives the trailers that a handler set and that HTTP allows. None
// is one of the host's headers.
func trailerOf(x *engine.Exchange, sent http.Header) http.Header {
	var trailer http.Header
	for name, values := range x.Response.Trailer {
		if _, own := sent[name]; !own && httpguts.ValidTrailerHeader(name) {
			if trailer == nil {
				trailer = http.Header{}
			}
			trailer[name] = values
		}
	}
	return trailer
}

// cacheControl keeps a signed-in person's pages out of every cache, so that
// the back button cannot show them after sign-out.
func cacheControl(r *http.Request, tx *transaction.Tx) []string {
	if !tx.Personal() {
		return forEverybody
	}
	if a, err := tx.Account(r.Context()); err == nil && a == nil {
		return forVisitor
	}
	return forPerson
}

// The values of Cache-Control: of a page that is the same for everybody, of
// one that this visitor alone should see, and of a signed-in person's. They
// are shared, so nothing may be assigned to them.
var (
	forEverybody = []string{"no-cache"}
	forVisitor   = []string{"private, no-cache"}
	forPerson    = []string{"private, no-store"}
)

// lengthOf is the value of Content-Length.
func lengthOf(body []byte) []string { return []string{strconv.Itoa(len(body))} }
