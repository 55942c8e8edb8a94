package server

import (
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv"
)

// How requests are run and read.
const (
	// formType is the one kind of body that may hold secrets.
	formType = "application/x-www-form-urlencoded"
	// errorHeader is how the SDK says "the error page for my status".
	errorHeader = "Lectern-Error"
)

// job is one request on its way through a handler.
type job struct {
	handler *engine.Handler
	scope   transaction.Scope
	require string
	body    []byte
	status  int // of an error page; 0 for an ordinary page
}

// page answers a route of a handler.
func (s *Server) page(h *engine.Handler, route abi.Route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		j, status := s.newJob(w, r, h, route)
		if status != 0 {
			s.fail(w, r, status)
			return
		}
		s.run(w, r, j)
	})
}

// newJob reads the body and takes the secrets out of it. The status is that
// of the error page if the request cannot be taken, else 0.
func (s *Server) newJob(w http.ResponseWriter, r *http.Request, h *engine.Handler, route abi.Route) (job, int) {
	m := h.Manifest()
	j := job{handler: h, require: route.Require, scope: transaction.Scope{
		Manifest: m, Pattern: route.Pattern, Values: pathFields(route.Pattern, r),
		RequestID: infoOf(r).id, Safe: r.Method == http.MethodGet || r.Method == http.MethodHead,
		Cookie: s.cookieOf(r), AcceptLanguage: r.Header.Get("Accept-Language"),
	}}
	var err error
	if j.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, s.options.MaxBody)); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return j, http.StatusRequestEntityTooLarge
		}
		return j, http.StatusBadRequest
	}
	if len(m.Secrets) == 0 || len(j.body) == 0 {
		return j, 0
	}
	return j, j.hideSecrets(r.Header.Get("Content-Type"))
}

// hideSecrets keeps the whole form for the host and blanks the secret fields
// in the body that the guest sees.
func (j *job) hideSecrets(contentType string) int {
	if kind, _, err := mime.ParseMediaType(contentType); err != nil || kind != formType {
		return http.StatusUnsupportedMediaType
	}
	form, err := url.ParseQuery(string(j.body))
	if err != nil {
		return http.StatusBadRequest
	}
	j.scope.Form = form
	shown := url.Values{}
	for name, values := range form {
		shown[name] = values
	}
	for _, name := range j.scope.Manifest.Secrets {
		if shown.Has(name) {
			shown.Set(name, "")
		}
	}
	j.body = []byte(shown.Encode())
	return 0
}

// cookieOf is the value of the session cookie, "" if there is none.
func (s *Server) cookieOf(r *http.Request) string {
	c, err := r.Cookie(s.options.World.Sessions.CookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// run takes a job through sandbox and commit, and until its deadline again
// and again if other requests change what it read.
func (s *Server) run(w http.ResponseWriter, r *http.Request, j job) {
	conflicts := 0
	for r.Context().Err() == nil {
		tx := s.options.World.Begin(j.scope)
		if done := s.admit(w, r, tx, j); done {
			return
		}
		x := newExchange(r, j, infoOf(r).client.String(), tx)
		if err := s.serve(r.Context(), j, tx, x); err != nil {
			s.handlerFailed(w, r, j, tx, err)
			return
		}
		if x.Response.Header.Get(errorHeader) != "" {
			s.refused(w, r, j, tx, x.Response.Status)
			return
		}
		cookie, err := tx.Commit(r.Context())
		if err == nil {
			s.respond(w, r, j, tx, x, cookie)
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
	target := s.signIn
	if r.Method == http.MethodGet {
		target += "?next=" + url.QueryEscape(r.URL.RequestURI())
	} else if back, err := url.Parse(r.Referer()); err == nil && back.Host == r.Host && back.Path != "" {
		target += "?next=" + url.QueryEscape(back.RequestURI())
	}
	w.Header().Set("Cache-Control", "no-store")
	http.Redirect(w, r, target, http.StatusSeeOther)
}

// newExchange shows the guest its request. Cookies and credentials are not in
// it: a handler learns who asks from the host alone.
func newExchange(r *http.Request, j job, source string, tx *transaction.Tx) *engine.Exchange {
	header := r.Header.Clone()
	header.Del("Cookie")
	header.Del("Authorization")
	header.Set("Host", r.Host)
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return &engine.Exchange{
		Request: engine.Request{
			Method: method, URI: r.URL.RequestURI(), Proto: r.Proto,
			Header: header, Body: j.body, Source: source,
		},
		Response: engine.Response{Header: http.Header{}},
		Calls:    tx,
	}
}

// respond sends what the handler wrote, after its effects are stored.
func (s *Server) respond(w http.ResponseWriter, r *http.Request, j job, tx *transaction.Tx, x *engine.Exchange, cookie *http.Cookie) {
	h := w.Header()
	for name, values := range x.Response.Header {
		if _, own := h[name]; !own { // no handler loosens the host's policy
			h[name] = values
		}
	}
	if cookie != nil {
		http.SetCookie(w, cookie)
	}
	h.Set("Cache-Control", cacheControl(r, tx))
	h.Add("Vary", "Cookie, Accept-Language")
	status := x.Response.Status
	if j.status != 0 {
		status = j.status
	}
	if status != http.StatusNoContent && status != http.StatusNotModified {
		h.Set("Content-Length", strconv.Itoa(len(x.Response.Body)))
	}
	w.WriteHeader(status)
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(x.Response.Body); err != nil {
		s.options.Logger.Debug("the reader went away", "request_id", infoOf(r).id, "error", err)
	}
}

// cacheControl keeps a signed-in person's pages out of every cache, so that
// the back button cannot show them after sign-out.
func cacheControl(r *http.Request, tx *transaction.Tx) string {
	if !tx.Personal() {
		return "no-cache"
	}
	if a, err := tx.Account(r.Context()); err == nil && a == nil {
		return "private, no-cache"
	}
	return "private, no-store"
}
