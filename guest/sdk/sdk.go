// Package sdk is what a handler is written against. A handler is a package
// main that registers a function for each route of its manifest:
//
//	func init() { sdk.Handle("GET /hello/{name}", hello) }
//	func main() {}
//
//	func hello(w *sdk.Response, r *sdk.Request) error {
//		w.Text(200, "Hello, "+r.PathValue("name"))
//		return nil
//	}
//
// It is compiled with GOOS=wasip1 GOARCH=wasm -buildmode=c-shared and runs in
// a sandbox without files, sockets or memory of earlier requests. All that it
// learns and does goes through its Request and Response.
//
// # A request is a transaction
//
// What a handler writes (records, session values, sign-in) takes effect when
// it has returned nil, all at once, and only if the records that it read are
// still what they were. On a conflict the host runs the handler again. If it
// returns an error or panics, nothing happens and the reader gets an error
// page. Its own later reads see what it has written.
//
// # Time and randomness
//
// Take the time from Request.Now and random bytes from Request.Random. The
// seeds of math/rand and of map order are part of the frozen image of a
// handler, so they may repeat from request to request: never make a token or
// an id from them.
package sdk

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/lectern-lms/lectern/guest/abi"
)

// HandlerFunc answers one request. An error that wraps a [StatusError] gives
// that error page; any other error gives status 500 and is logged.
type HandlerFunc func(w *Response, r *Request) error

// routes maps the patterns of the manifest to their functions. It is filled
// by init functions, so it is part of the handler's image.
var routes = map[string]HandlerFunc{}

// Handle registers the function for a pattern, written exactly as in the
// manifest. It panics if the pattern is taken, which fails at load.
func Handle(pattern string, f HandlerFunc) {
	if routes[pattern] != nil {
		panic("sdk: two functions for the route " + pattern)
	}
	routes[pattern] = f
}

// HandleErrors registers the function that makes the site's error pages; the
// status is r.ErrorStatus. The manifest must say "errors": true.
func HandleErrors(f HandlerFunc) { Handle(abi.ErrorPattern, f) }

// StatusError makes the host answer with the site's error page for a status.
type StatusError int

// Error names the status.
func (e StatusError) Error() string { return fmt.Sprintf("status %d", int(e)) }

// The errors that handlers return most.
const (
	// ErrNotFound gives the page 404.
	ErrNotFound StatusError = 404
	// ErrForbidden gives the page 403.
	ErrForbidden StatusError = 403
	// ErrBadRequest gives the page 400.
	ErrBadRequest StatusError = 400
)

// The errors of host calls; test with errors.Is.
var (
	// ErrDenied says that the manifest does not ask for the right.
	ErrDenied = errors.New("sdk: the manifest does not allow this")
	// ErrReadOnly says that a GET or HEAD tried to write.
	ErrReadOnly = errors.New("sdk: a safe method cannot write")
	// ErrTooLarge says that a key, value or the sum of effects is over a limit.
	ErrTooLarge = errors.New("sdk: too large")
	// ErrUnavailable says that the store cannot answer now.
	ErrUnavailable = errors.New("sdk: the store is unavailable")
	// ErrCall says that the host did not understand the call.
	ErrCall = errors.New("sdk: call refused")
)

// ask sends one operation to the host and gives its answer to read. The
// answer is only valid until the next call.
func ask(op abi.Op, message abi.Writer) (*abi.Reader, error) {
	status, answer := current.call(op, message)
	if status == abi.StatusOK {
		return abi.NewReader(answer), nil
	}
	detail := string(answer)
	switch status {
	case abi.StatusDenied:
		return nil, fmt.Errorf("%w: %s", ErrDenied, detail)
	case abi.StatusReadOnly:
		return nil, fmt.Errorf("%w: %s", ErrReadOnly, detail)
	case abi.StatusTooLarge:
		return nil, fmt.Errorf("%w: %s", ErrTooLarge, detail)
	case abi.StatusUnavailable:
		return nil, fmt.Errorf("%w: %s", ErrUnavailable, detail)
	}
	return nil, fmt.Errorf("%w: %s", ErrCall, detail)
}

// must is ask for the operations that fail only if host and SDK disagree,
// where the one sensible answer is to stop.
func must(op abi.Op, message abi.Writer) *abi.Reader {
	r, err := ask(op, message)
	if err != nil {
		panic(err)
	}
	return r
}

// serve answers the request that the host has ready. It reports true if the
// request is to go on to the next handler.
func serve() (passed bool) {
	r := newRequest()
	w := &Response{body: *bytes.NewBuffer(takeReadyBody())}
	f := routes[r.pattern]
	if f == nil {
		f = front.Request
	}
	if f == nil {
		panic("sdk: the manifest has the route " + r.pattern + " but no function is registered for it")
	}
	if err := f(w, r); err != nil {
		fail(r, err)
		return false
	}
	w.send(r.passed)
	passing = r
	return r.passed
}

// fail drops what the request wanted and asks for the error page.
func fail(r *Request, err error) {
	must(abi.OpAbandon, nil)
	var status StatusError
	if !errors.As(err, &status) {
		current.log(levelError, r.pattern+": "+err.Error())
		status = 500
		if errors.Is(err, ErrUnavailable) {
			status = 503
		}
	}
	current.setStatus(int(status))
	current.setHeader(ErrorHeader, "1")
}

// ErrorHeader marks a response that carries no page: the host replaces it by
// the site's error page for its status.
const ErrorHeader = "Lectern-Error"
