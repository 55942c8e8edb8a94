package engine

import (
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/tetratelabs/wazero/api"
	"golang.org/x/net/http/httpguts"
)

// reserved are the response headers that are the host's own business: the
// framing of the message, the connection and the session cookie.
var reserved = map[string]bool{
	"Connection": true, "Keep-Alive": true, "Proxy-Authenticate": true,
	"Proxy-Connection": true, "Set-Cookie": true, "Te": true, "Trailer": true, "Transfer-Encoding": true, "Upgrade": true,
}

// headers gives the header map of a kind, made if need be.
func (c *call) headers(kind uint64) http.Header {
	var h *http.Header
	switch uint32(kind) {
	case kindRequest:
		h = &c.x.Request.Header
	case kindResponse:
		h = &c.x.Response.Header
	case kindReqTrailers:
		h = &c.x.Request.Trailer
	case kindRespTrailers:
		h = &c.x.Response.Trailer
	default:
		panic(faultf("there is no header kind %d", uint32(kind)))
	}
	if *h == nil {
		*h = http.Header{}
	}
	return *h
}

// putList writes strings, each ended by a NUL, if they fit the limit; the
// result packs their count and their length.
func putList(m api.Module, list []string, offset, limit uint64) uint64 {
	if len(list) == 0 {
		return 0
	}
	text := strings.Join(list, "\x00") + "\x00"
	if len(text) <= int(uint32(limit)) {
		writeString(m, uint32(offset), text)
	}
	return uint64(len(list))<<32 | uint64(len(text))
}

// getHeaderNames lists the names of a kind of headers in order, in small
// letters.
func getHeaderNames(c *call, m api.Module, stack []uint64) {
	h := c.headers(stack[0])
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, strings.ToLower(name))
	}
	slices.Sort(names)
	stack[0] = putList(m, names, stack[1], stack[2])
}

// getHeaderValues lists the values of one header.
func getHeaderValues(c *call, m api.Module, stack []uint64) {
	name := readString(m, stack[1], stack[2])
	values := c.headers(stack[0])[textproto.CanonicalMIMEHeaderKey(name)]
	stack[0] = putList(m, values, stack[3], stack[4])
}

// setHeaderValue replaces all values of a header.
func setHeaderValue(c *call, m api.Module, stack []uint64) {
	if h, name, value := c.headerArguments(m, stack); !ignored(stack[0], name) {
		h[name] = []string{value}
		c.boundHeaders(h)
	}
}

// addHeaderValue adds a value to a header.
func addHeaderValue(c *call, m api.Module, stack []uint64) {
	if h, name, value := c.headerArguments(m, stack); !ignored(stack[0], name) {
		h[name] = append(h[name], value)
		c.boundHeaders(h)
	}
}

// removeHeader removes all values of a header.
func removeHeader(c *call, m api.Module, stack []uint64) {
	if ofRequest(stack[0]) {
		c.beforeNext()
	}
	delete(c.headers(stack[0]), textproto.CanonicalMIMEHeaderKey(readString(m, stack[1], stack[2])))
}

// headerArguments reads and checks what set_header_value and add_header_value
// take. A line break in a value would split the response.
func (c *call) headerArguments(m api.Module, stack []uint64) (http.Header, string, string) {
	name := textproto.CanonicalMIMEHeaderKey(readString(m, stack[1], stack[2]))
	value := readString(m, stack[3], stack[4])
	if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
		panic(faultf("the header %.40q has a malformed name or value", name))
	}
	if ofRequest(stack[0]) {
		c.beforeNext()
	} else if reserved[name] {
		panic(faultf("the header %s is set by the host alone", name))
	}
	return c.headers(stack[0]), name, value
}

// ofRequest reports whether a kind of headers belongs to the request.
func ofRequest(kind uint64) bool {
	return uint32(kind) == kindRequest || uint32(kind) == kindReqTrailers
}

// ignored reports whether a header has no effect: guests that rewrite a body
// set its length, which the host finds out by itself.
func ignored(kind uint64, name string) bool {
	return !ofRequest(kind) && name == "Content-Length"
}

// boundHeaders stops a guest that adds headers without end.
func (c *call) boundHeaders(h http.Header) {
	size, count := 0, 0
	for name, values := range h {
		for _, v := range values {
			size += len(name) + len(v) + 4
			count++
		}
	}
	if size > c.limits.HeaderBytes || count > maxHeadersPerGuest {
		panic(faultf("headers of %d bytes, the limit is %d bytes and %d headers", size, c.limits.HeaderBytes, maxHeadersPerGuest))
	}
}

// isToken reports whether s is a token of RFC 9110, as methods and header names are.
func isToken(s string) bool { return httpguts.ValidHeaderFieldName(s) }

// isPrintable reports whether s is ASCII without spaces and control characters.
func isPrintable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
