package sdk

import (
	"unsafe"

	"github.com/lectern-lms/lectern/guest/abi"
)

// current is the host of this handler: the imports below.
var current host = &imports{buf: make([]byte, 64<<10)}

// imports calls the host through WebAssembly imports. buf receives answers
// and grows to the longest; there is one thread, so one buffer will do.
type imports struct{ buf []byte }

// hostCall is the one function of module "lectern"; see package abi.
//
//go:wasmimport lectern call
func hostCall(op uint32, in unsafe.Pointer, inLen uint32, out unsafe.Pointer, outCap uint32) uint64

// hostGetMethod writes the request's method.
//
//go:wasmimport http_handler get_method
func hostGetMethod(buf unsafe.Pointer, limit uint32) uint32

// hostGetURI writes the request's path and query.
//
//go:wasmimport http_handler get_uri
func hostGetURI(buf unsafe.Pointer, limit uint32) uint32

// hostGetHeaderValues writes a header's values, each ended by a NUL.
//
//go:wasmimport http_handler get_header_values
func hostGetHeaderValues(kind uint32, name unsafe.Pointer, nameLen uint32, buf unsafe.Pointer, limit uint32) uint64

// hostReadBody reads on in a body; bit 32 of the result says that it ends.
//
//go:wasmimport http_handler read_body
func hostReadBody(kind uint32, buf unsafe.Pointer, limit uint32) uint64

// hostSetStatusCode sets the status of the response.
//
//go:wasmimport http_handler set_status_code
func hostSetStatusCode(code uint32)

// hostAddHeaderValue adds a header to the response.
//
//go:wasmimport http_handler add_header_value
func hostAddHeaderValue(kind uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32)

// hostWriteBody replaces the body with the first call and adds to it later.
//
//go:wasmimport http_handler write_body
func hostWriteBody(kind uint32, body unsafe.Pointer, bodyLen uint32)

// hostLog writes a line to the host's log.
//
//go:wasmimport http_handler log
func hostLog(level int32, message unsafe.Pointer, messageLen uint32)

// hostSetMethod changes the method for the next handler.
//
//go:wasmimport http_handler set_method
func hostSetMethod(method unsafe.Pointer, methodLen uint32)

// hostSetURI changes path and query for the next handler.
//
//go:wasmimport http_handler set_uri
func hostSetURI(uri unsafe.Pointer, uriLen uint32)

// hostSetHeaderValue replaces a header's values.
//
//go:wasmimport http_handler set_header_value
func hostSetHeaderValue(kind uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32)

// hostRemoveHeader removes a header.
//
//go:wasmimport http_handler remove_header
func hostRemoveHeader(kind uint32, name unsafe.Pointer, nameLen uint32)

// hostGetStatusCode is the status that the next handler gave.
//
//go:wasmimport http_handler get_status_code
func hostGetStatusCode() uint32

// The kinds of headers and bodies in http-wasm.
const (
	kindRequest  = 0
	kindResponse = 1
)

// bytesAt and stringAt are where the host finds a value in this memory.
func bytesAt(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

// stringAt is bytesAt for a string.
func stringAt(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

func (h *imports) call(op abi.Op, message []byte) (abi.Status, []byte) {
	r := hostCall(uint32(op), bytesAt(message), uint32(len(message)), bytesAt(h.buf), uint32(len(h.buf)))
	status, n := abi.SplitResult(r)
	if n > len(h.buf) {
		h.buf = make([]byte, n)
		hostCall(uint32(abi.OpAnswer), nil, 0, bytesAt(h.buf), uint32(n))
	}
	return status, h.buf[:n]
}

// text calls a get function of http-wasm, again with a larger buffer if the
// first did not hold the value.
func (h *imports) text(get func(unsafe.Pointer, uint32) uint32) string {
	n := get(bytesAt(h.buf), uint32(len(h.buf)))
	if int(n) > len(h.buf) {
		h.buf = make([]byte, n)
		n = get(bytesAt(h.buf), n)
	}
	return string(h.buf[:n])
}

func (h *imports) method() string { return h.text(hostGetMethod) }

func (h *imports) uri() string { return h.text(hostGetURI) }

func (h *imports) header(name string) string { return h.headerOf(kindRequest, name) }

func (h *imports) getAnswerHeader(name string) string { return h.headerOf(kindResponse, name) }

// headerOf is the first value of a header of the request or the response.
func (h *imports) headerOf(kind uint32, name string) string {
	values := h.text(func(p unsafe.Pointer, limit uint32) uint32 {
		return uint32(hostGetHeaderValues(kind, stringAt(name), uint32(len(name)), p, limit))
	})
	for i := range len(values) {
		if values[i] == 0 {
			return values[:i]
		}
	}
	return ""
}

func (h *imports) body() []byte { return h.bodyOf(kindRequest) }

func (h *imports) answerBody() []byte { return h.bodyOf(kindResponse) }

// bodyOf is the whole body of the request or the response.
func (h *imports) bodyOf(kind uint32) []byte {
	var all []byte
	for {
		r := hostReadBody(kind, bytesAt(h.buf), uint32(len(h.buf)))
		all = append(all, h.buf[:uint32(r)]...)
		if r>>32 == 1 {
			return all
		}
	}
}

func (h *imports) setStatus(code int) { hostSetStatusCode(uint32(code)) }

func (h *imports) setHeader(name, value string) {
	hostAddHeaderValue(kindResponse, stringAt(name), uint32(len(name)), stringAt(value), uint32(len(value)))
}

func (h *imports) writeBody(p []byte) { hostWriteBody(kindResponse, bytesAt(p), uint32(len(p))) }

func (h *imports) log(level int32, message string) {
	hostLog(level, stringAt(message), uint32(len(message)))
}

func (h *imports) setMethod(method string) { hostSetMethod(stringAt(method), uint32(len(method))) }

func (h *imports) setURI(uri string) { hostSetURI(stringAt(uri), uint32(len(uri))) }

func (h *imports) setRequestHeader(name, value string) { setHeaderOf(kindRequest, name, value) }

func (h *imports) replaceHeader(name, value string) { setHeaderOf(kindResponse, name, value) }

// setHeaderOf replaces a header of the request or the response.
func setHeaderOf(kind uint32, name, value string) {
	hostSetHeaderValue(kind, stringAt(name), uint32(len(name)), stringAt(value), uint32(len(value)))
}

func (h *imports) removeHeader(name string) {
	hostRemoveHeader(kindResponse, stringAt(name), uint32(len(name)))
}

func (h *imports) getStatus() int { return int(hostGetStatusCode()) }

// handleRequest is the entry point of http-wasm. Its result 0 says that the
// response is complete, 1 that the request goes on to the next handler.
//
//go:wasmexport handle_request
func handleRequest() uint64 {
	defer failed()
	if serve() {
		return 1
	}
	return 0
}

// handleResponse is called after the next handler; isError says that it has
// failed, and then nothing that is done here has an effect.
//
//go:wasmexport handle_response
func handleResponse(_, isError uint32) {
	defer failed()
	if isError == 0 {
		answered()
	}
}

// warmUp is called by the host once, when the handler has started and before
// its image is made.
//
//go:wasmexport lectern_warm_up
func warmUp() {
	warmHeap()
	for _, f := range warmUps {
		f()
	}
}
