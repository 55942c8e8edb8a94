package server

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/templates"
	"golang.org/x/text/language"
)

// retryAfter is what a busy server asks clients to wait, in seconds.
const retryAfter = "2"

// fail answers with the site's error page for a status, which the handler
// with "errors" in its manifest makes. If there is none, or it fails too, the
// host's plain page steps in.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int) {
	if s.errorPages == nil || status >= 500 || status == http.StatusRequestEntityTooLarge || status == http.StatusTooManyRequests {
		s.plainError(w, r, status)
		return
	}
	s.run(w, r, job{handler: s.errorPages, status: status, scope: transaction.Scope{
		Manifest: s.errorPages.Manifest(), Pattern: abi.ErrorPattern,
		Values:    []abi.Field{{Name: "status", Value: strconv.Itoa(status)}},
		RequestID: infoOf(r).id, Safe: true,
		Cookies: s.options.World.Sessions.Cookies(r), AcceptLanguage: r.Header.Get("Accept-Language"),
		Device: s.deviceOf(r), Address: infoOf(r).client, Agent: r.UserAgent(),
	}})
}

// plainError is the page that needs no handler: it says what happened and
// gives the request id by which the log can be searched.
func (s *Server) plainError(w http.ResponseWriter, r *http.Request, status int) {
	var page bytes.Buffer
	lang := languageOf(r)
	title, detail := plainMessage(lang, status)
	if err := templates.PlainError(lang, status, title, detail, infoOf(r).id).Render(context.WithoutCancel(r.Context()), &page); err != nil {
		s.options.Logger.Error("the plain error page failed", "error", err)
	}
	h := w.Header()
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		h.Set("Retry-After", retryAfter)
	}
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(page.Bytes()) // the reader may have gone; nothing is lost
	}
}

// languageOf picks a language of the interface as the browser prefers.
func languageOf(r *http.Request) string {
	wanted, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil {
		wanted = nil
	}
	for _, tag := range wanted {
		if lang, ok := templates.MatchLanguage(tag.String()); ok {
			return lang
		}
	}
	return templates.Languages[0].Tag
}

// plainMessage is what a page says of a status; statuses without words of
// their own are the server's or the client's fault in general.
func plainMessage(lang string, status int) (title, detail string) {
	for _, s := range []int{status, status / 100 * 100} {
		key := "error." + strconv.Itoa(s)
		if title = templates.T(lang, key); title != key {
			return title, templates.T(lang, key+"_text")
		}
	}
	return http.StatusText(status), ""
}

// refused answers for a handler that asked for an error page. Its effects are
// dropped.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, j job, tx *transaction.Tx, x *engine.Exchange) {
	if err := tx.Err(); err != nil {
		s.storeFailed(w, r, j, err)
		return
	}
	if j.status != 0 {
		s.plainError(w, r, j.status)
		return
	}
	if allow := x.Response.Header.Get("Allow"); allow != "" {
		w.Header().Set("Allow", allow)
	}
	status := x.Response.Status
	if status < http.StatusBadRequest {
		status = http.StatusInternalServerError
	}
	s.fail(w, r, status)
}

// handlerFailed logs why a handler gave no answer, with the guest's stack,
// and tells the reader no more than the request id.
func (s *Server) handlerFailed(w http.ResponseWriter, r *http.Request, j job, tx *transaction.Tx, err error) {
	if cause := tx.Err(); cause != nil {
		s.storeFailed(w, r, j, cause)
		return
	}
	if errors.Is(err, engine.ErrBusy) || errors.Is(err, engine.ErrClosed) {
		s.busy.Add(1)
		s.busyLog.Do(func() {
			s.options.Logger.Warn("no sandbox came free in time", "request_id", infoOf(r).id, "handler", j.scope.Manifest.Name,
				"error", err.Error(), "requests_since_the_last_line", s.busy.Swap(0))
		})
		s.plainError(w, r, http.StatusServiceUnavailable)
		return
	}
	stack, status := "", http.StatusInternalServerError
	var failure *engine.Failure
	if errors.As(err, &failure) {
		stack = failure.Stack()
		if failure.Cause == engine.CauseTimeout {
			status = http.StatusServiceUnavailable // with more time, or less to do, it might have answered
		}
	}
	s.options.Logger.Error("a handler failed", "request_id", infoOf(r).id, "route", j.scope.Pattern, "error", err.Error(), "stack", stack)
	if j.status != 0 {
		status = j.status
	}
	s.plainError(w, r, status)
}

// storeFailed answers when the store could not: honestly, and without a page
// that might show a signed-in person as signed out.
func (s *Server) storeFailed(w http.ResponseWriter, r *http.Request, j job, err error) {
	s.options.Logger.Error("the store failed", "request_id", infoOf(r).id, "route", j.scope.Pattern, "error", err.Error())
	status := http.StatusServiceUnavailable
	if errors.Is(err, kv.ErrTooLarge) || errors.Is(err, kv.ErrInvalid) {
		status = http.StatusInternalServerError
	}
	s.plainError(w, r, status)
}
