package server

import (
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"

	"github.com/lectern-lms/lectern/host/engine"
	"github.com/lectern-lms/lectern/host/transaction"
)

// formType is the one kind of body that may hold secrets.
const formType = "application/x-www-form-urlencoded"

// job is one request on its way through a handler.
type job struct {
	handler *engine.Handler
	scope   transaction.Scope
	require string
	body    []byte
	status  int // of an error page; 0 for an ordinary page
}

// newJob reads the body and takes the secrets out of it. The status is that
// of the error page if the request cannot be taken, else 0.
func (s *Server) newJob(w http.ResponseWriter, r *http.Request, way way, secrets []string) (job, int) {
	pattern := way.route.Pattern
	j := job{handler: way.handler, require: way.route.Require, scope: transaction.Scope{
		Manifest: way.handler.Manifest(), Pattern: pattern, Values: pathFields(pattern, r),
		RequestID: infoOf(r).id, Safe: isSafe(r.Method),
		Cookies: s.options.World.Sessions.Cookies(r), AcceptLanguage: r.Header.Get("Accept-Language"),
		Device: s.deviceOf(r), Address: infoOf(r).client, Agent: r.UserAgent(),
	}}
	if r.Body == http.NoBody {
		return j, 0
	}
	var err error
	if j.body, err = io.ReadAll(http.MaxBytesReader(w, r.Body, s.options.MaxBody)); err != nil {
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			return j, http.StatusRequestEntityTooLarge
		}
		return j, http.StatusBadRequest
	}
	if len(secrets) == 0 || len(j.body) == 0 {
		return j, 0
	}
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err == nil && kind == formType {
		return j, j.hide(secrets)
	}
	if way.form {
		return j, http.StatusUnsupportedMediaType
	}
	return j, 0
}

// hide keeps the whole form for the host and blanks the secret fields in the
// body that the guests see.
func (j *job) hide(secrets []string) int {
	form, err := url.ParseQuery(string(j.body))
	if err != nil {
		return http.StatusBadRequest
	}
	j.scope.Form, j.scope.Secrets = form, secrets
	shown := url.Values{}
	for name, values := range form {
		if slices.Contains(secrets, name) {
			values = []string{""}
		}
		shown[name] = values
	}
	j.body = []byte(shown.Encode())
	return 0
}

// deviceOf is the cookie of a device that has signed in before.
func (s *Server) deviceOf(r *http.Request) string {
	c, err := r.Cookie(s.options.World.Accounts.DeviceCookieName())
	if err != nil {
		return ""
	}
	return c.Value
}

// newExchange shows the guest its request. Cookies and, without the right to
// it, Authorization are not in it: a handler learns who asks from the host.
func (s *Server) newExchange(r *http.Request, j job, tx *transaction.Tx) *engine.Exchange {
	header := r.Header.Clone()
	header.Del("Cookie")
	header.Set("Host", r.Host)
	showAuthorization(header, r, tx)
	setLength(header, len(j.body))
	return &engine.Exchange{
		Request: engine.Request{
			Method: methodFor(j.scope.Pattern, r.Method), URI: r.URL.RequestURI(), Proto: r.Proto,
			Header: header, Body: j.body, Trailer: r.Trailer.Clone(), Source: sourceOf(r),
		},
		Response: engine.Response{Header: http.Header{}},
		Calls:    tx,
		Next:     s.passOn(r, &j, tx, j.handler),
	}
}

// showAuthorization leaves the header of that name to those alone who may see
// it, whoever stands in front of them.
func showAuthorization(header http.Header, r *http.Request, tx *transaction.Tx) {
	header.Del("Authorization")
	if values := r.Header.Values("Authorization"); tx.Authorization() && len(values) > 0 {
		header["Authorization"] = slices.Clone(values)
	}
}

// setLength makes the header tell the length of the body that a guest is
// shown: the original one would tell how long the hidden secrets are.
func setLength(header http.Header, length int) {
	if header.Get("Content-Length") != "" {
		header.Set("Content-Length", strconv.Itoa(length))
	}
}

// sourceOf is the client's address with its port, which is 0 if a proxy is in
// between: proxies do not tell it.
func sourceOf(r *http.Request) string {
	client := infoOf(r).client
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || peer.Addr().Unmap() != client {
		peer = netip.AddrPort{}
	}
	return netip.AddrPortFrom(client, peer.Port()).String()
}
