package engine

import (
	"context"
	"net/http"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Exchange is one request with the response that a handler makes of it. The
// engine reads and writes nothing else on behalf of a guest.
type Exchange struct {
	Request  Request
	Response Response
	// Calls answers the guest's calls of module "lectern".
	Calls Calls
	// Next is the handler behind this one, for guests that are middleware;
	// nil means that there is none and gives status 404.
	Next func(context.Context, *Exchange) error
}

// Request is what a guest may know of an HTTP request.
type Request struct {
	Method string
	// URI is the path with its query.
	URI string
	// Proto is the protocol version, such as "HTTP/1.1".
	Proto   string
	Header  http.Header
	Body    []byte
	Trailer http.Header
	// Source is the address of the client with its port.
	Source string
}

// Response is what a guest answers. Status is 200 unless it says otherwise. A
// Body that is there before is written over, so its room can be used again
// when the response was sent.
type Response struct {
	Status  int
	Header  http.Header
	Body    []byte
	Trailer http.Header
}

// Calls answers one operation of module "lectern" at a time. The message is
// only valid during the call; the answer must not change after it.
type Calls interface {
	Call(ctx context.Context, op abi.Op, message []byte) (abi.Status, []byte)
}

// call is the state of one request inside a sandbox. It is the context that
// wazero hands to host functions, which is how they find it.
type call struct {
	context.Context
	x      *Exchange
	config string
	limits Limits
	// sent and received count the bytes of the request's and the response's
	// body that the guest has read.
	sent, received int
	// wroteRequest and wroteResponse tell whether a body was overwritten in
	// this phase: the first write replaces it, later ones add.
	wroteRequest, wroteResponse bool
	// passedOn says that the request went to the next handler: the guest is
	// in handle_response.
	passedOn bool
	// answer is kept for OpAnswer when it did not fit the guest's buffer.
	answer []byte
	// calls counts those of module "lectern", httpCalls those of http_handler,
	// and yields how often fuel was used up.
	calls, httpCalls, yields int
	logged                   int
	features                 uint32
	log                      func(level int32, message string)
	// logs tells whether the log takes a level; nil if it takes all.
	logs func(level int32) bool
	// sandbox runs the call; deadline is when it must end.
	sandbox     *sandbox
	deadline    time.Time
	hasDeadline bool
}

// callOf finds the request that a host function is called for.
func callOf(ctx context.Context) *call { return ctx.(*call) }
