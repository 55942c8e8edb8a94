package sdk

// Front is what a handler does that stands in front of others, as the next in
// its manifest says:
//
//	func init() { sdk.HandleFront(sdk.Front{Request: check, Answer: mark}) }
//
// Both run in the same request, and in the same transaction as the handlers
// behind: if one of those fails, nothing of it is stored.
type Front struct {
	// Request is asked for every route that has no function of its own. It
	// answers, or lets the request through with Request.Pass. What it has put
	// into the headers of the answer stays, unless a handler behind sets it.
	Request HandlerFunc
	// Answer, if not nil, is shown what the handlers behind have answered and
	// may change it. It is not called if they have failed.
	Answer func(a *Answer, r *Request) error
}

// front is what HandleFront was given; it is part of the handler's image.
var front Front

// HandleFront registers what a handler in front of others does. It panics if
// that was done before or says nothing, which fails at load.
func HandleFront(f Front) {
	if front.Request != nil || f.Request == nil {
		panic("sdk: HandleFront must be called once, and with a Request")
	}
	front = f
}

// Pass lets the request through to the next handler, once the function has
// returned nil. Its answer then has no status and no body of this one's.
func (r *Request) Pass() { r.passed = true }

// SetMethod changes the method that the next handler sees. A GET that becomes
// a POST still cannot write.
func (r *Request) SetMethod(method string) { current.setMethod(method) }

// SetURI changes the path and query, by which the request is routed among the
// routes of the next handler. It must be encoded.
func (r *Request) SetURI(uri string) {
	r.URI() // goes on to tell what the reader's browser sent
	current.setURI(uri)
}

// SetHeader changes a header that the next handler sees.
func (r *Request) SetHeader(name, value string) { current.setRequestHeader(name, value) }

// passing is the request that was let through, for Front.Answer.
var passing *Request

// answered lets Front.Answer look at what the next handler has answered.
func answered() {
	if front.Answer == nil {
		return
	}
	a := &Answer{}
	if err := front.Answer(a, passing); err != nil {
		fail(passing, err)
		return
	}
	if a.replaced {
		current.writeBody(a.body)
	}
}

// Answer is what the handlers behind have answered. Where that is an error
// page to be made by the host, it has the status, ErrorHeader, and no body.
type Answer struct {
	body     []byte
	replaced bool
}

// Status is the HTTP status.
func (*Answer) Status() int { return current.getStatus() }

// SetStatus changes the status.
func (*Answer) SetStatus(code int) { current.setStatus(code) }

// Header is the first value of a header, or "".
func (*Answer) Header(name string) string { return current.getAnswerHeader(name) }

// SetHeader replaces all values of a header. The host refuses those that are
// its own business, such as Set-Cookie.
func (*Answer) SetHeader(name, value string) { current.replaceHeader(name, value) }

// RemoveHeader removes all values of a header.
func (*Answer) RemoveHeader(name string) { current.removeHeader(name) }

// Body is the whole body.
func (*Answer) Body() []byte { return current.answerBody() }

// SetBody replaces the body.
func (a *Answer) SetBody(body []byte) { a.body, a.replaced = body, true }
