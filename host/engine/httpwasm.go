package engine

import (
	"context"
	"net/url"

	"github.com/tetratelabs/wazero/api"
)

// The names of the http-wasm handler ABI, as published in
// http-wasm-host-go v0.7.0, package api/handler.
const (
	httpModule         = "http_handler"
	exportHandleReq    = "handle_request"
	exportHandleResp   = "handle_response"
	exportMemory       = "memory"
	exportInitialize   = "_initialize"
	exportStart        = "_start"
	featureBufferReq   = 1 << 0
	featureBufferResp  = 1 << 1
	featureTrailers    = 1 << 2
	supportedFeatures  = featureBufferReq | featureBufferResp | featureTrailers
	kindRequest        = 0
	kindResponse       = 1
	kindReqTrailers    = 2
	kindRespTrailers   = 3
	logLevelNone       = 3
	maxHeadersPerGuest = 1000
)

// httpFunction is one function of the ABI: its parameters and results are all
// i32 but for results that pack two numbers into an i64.
type httpFunction struct {
	name   string
	params int
	result api.ValueType // 0: none
	run    func(c *call, m api.Module, stack []uint64)
}

// httpFunctions is the whole request and response side of the ABI.
var httpFunctions = []httpFunction{
	{"enable_features", 1, api.ValueTypeI32, enableFeatures},
	{"get_config", 2, api.ValueTypeI32, getConfig},
	{"log_enabled", 1, api.ValueTypeI32, logEnabled},
	{"log", 3, 0, logMessage},
	{"get_method", 2, api.ValueTypeI32, getMethod},
	{"set_method", 2, 0, setMethod},
	{"get_uri", 2, api.ValueTypeI32, getURI},
	{"set_uri", 2, 0, setURI},
	{"get_protocol_version", 2, api.ValueTypeI32, getProtocolVersion},
	{"get_source_addr", 2, api.ValueTypeI32, getSourceAddr},
	{"get_header_names", 3, api.ValueTypeI64, getHeaderNames},
	{"get_header_values", 5, api.ValueTypeI64, getHeaderValues},
	{"set_header_value", 5, 0, setHeaderValue},
	{"add_header_value", 5, 0, addHeaderValue},
	{"remove_header", 3, 0, removeHeader},
	{"read_body", 3, api.ValueTypeI64, readBody},
	{"write_body", 3, 0, writeBody},
	{"get_status_code", 0, api.ValueTypeI32, getStatusCode},
	{"set_status_code", 1, 0, setStatusCode},
}

// exportHTTP provides module "http_handler" to guests.
func (e *Engine) exportHTTP(ctx context.Context) error {
	b := e.runtime.NewHostModuleBuilder(httpModule)
	for _, f := range httpFunctions {
		params := make([]api.ValueType, f.params)
		for i := range params {
			params[i] = api.ValueTypeI32
		}
		var results []api.ValueType
		if f.result != 0 {
			results = []api.ValueType{f.result}
		}
		run := f.run
		b = b.NewFunctionBuilder().WithGoModuleFunction(
			api.GoModuleFunc(func(ctx context.Context, m api.Module, stack []uint64) {
				c := callOf(ctx)
				if c.httpCalls++; c.httpCalls%callsPerCheck == 0 {
					c.checkTime()
				}
				run(c, m, stack)
			}),
			params, results).Export(f.name)
	}
	_, err := b.Instantiate(ctx)
	return err
}

// putText writes s if it fits the limit and returns its length regardless.
func putText(m api.Module, s string, offset, limit uint64) uint64 {
	if len(s) <= int(uint32(limit)) {
		writeString(m, uint32(offset), s)
	}
	return uint64(len(s))
}

// enableFeatures notes what the guest wants; the answer is what it has.
func enableFeatures(c *call, _ api.Module, stack []uint64) {
	c.features |= uint32(stack[0]) & supportedFeatures
	stack[0] = uint64(c.features)
}

// getConfig gives the manifest's config.
func getConfig(c *call, m api.Module, stack []uint64) {
	stack[0] = putText(m, c.config, stack[0], stack[1])
}

// logEnabled tells whether the site's log takes a level. It is no fact: what a
// handler logs is no part of its page.
func logEnabled(c *call, _ api.Module, stack []uint64) {
	level := int32(stack[0])
	stack[0] = 0
	if level < logLevelNone && (c.logs == nil || c.logs(level)) {
		stack[0] = 1
	}
}

// logMessage passes a message on until the request's share of the log is used
// up; then it says so once and drops the rest.
func logMessage(c *call, m api.Module, stack []uint64) {
	level, message := int32(stack[0]), read(m, uint32(stack[1]), uint32(stack[2]))
	if level >= logLevelNone || c.logged > c.limits.Log {
		return
	}
	if c.logged += len(message) + 1; c.logged > c.limits.Log {
		message = []byte("the handler wrote more to the log than its limit; the rest of this request is dropped")
	}
	c.log(level, string(message))
}

// getMethod gives the request's method.
func getMethod(c *call, m api.Module, stack []uint64) {
	stack[0] = putText(m, c.x.Request.Method, stack[0], stack[1])
}

// getURI gives the request's path and query.
func getURI(c *call, m api.Module, stack []uint64) {
	stack[0] = putText(m, c.x.Request.URI, stack[0], stack[1])
}

// getProtocolVersion gives the protocol of the connection.
func getProtocolVersion(c *call, m api.Module, stack []uint64) {
	stack[0] = putText(m, c.x.Request.Proto, stack[0], stack[1])
}

// getSourceAddr gives the client's address.
func getSourceAddr(c *call, m api.Module, stack []uint64) {
	stack[0] = putText(m, c.x.Request.Source, stack[0], stack[1])
}

// beforeNext stops a guest that changes the request in handle_response, when
// the next handler has answered it. The published host does too: it would be
// without effect, and the guest's author would never know.
func (c *call) beforeNext() {
	if c.passedOn {
		panic(Fault("it changed the request after it was passed on"))
	}
}

// setMethod changes the method for the next handler.
func setMethod(c *call, m api.Module, stack []uint64) {
	c.beforeNext()
	method := readString(m, stack[0], stack[1])
	if !isToken(method) {
		panic(faultf("the method %.40q is not an HTTP token", method))
	}
	c.x.Request.Method = method
}

// setURI changes path and query for the next handler.
func setURI(c *call, m api.Module, stack []uint64) {
	c.beforeNext()
	uri := readString(m, stack[0], stack[1])
	if uri == "" {
		uri = "/"
	}
	if _, err := url.ParseRequestURI(uri); err != nil || uri[0] != '/' || !isPrintable(uri) {
		panic(faultf("the URI %.80q is not an encoded path", uri))
	}
	c.x.Request.URI = uri
}

// getStatusCode gives the response's status so far.
func getStatusCode(c *call, _ api.Module, stack []uint64) {
	stack[0] = uint64(c.x.Response.Status)
}

// setStatusCode sets the response's status; 1xx are the host's own.
func setStatusCode(c *call, _ api.Module, stack []uint64) {
	status := int(int32(stack[0]))
	if status < 200 || status > 599 {
		panic(faultf("the status %d is not between 200 and 599", status))
	}
	c.x.Response.Status = status
}
