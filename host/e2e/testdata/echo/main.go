// Command echo is the handler behind the guest of the http-wasm conformance
// kit: it tells in its response's headers what it was asked, and gives the body
// back. It is written against the published ABI alone, with nothing of
// Lectern's.
package main

import (
	"strconv"
	"strings"
	"unsafe"
)

//go:wasmimport http_handler get_method
func getMethod(buf unsafe.Pointer, limit uint32) uint32

//go:wasmimport http_handler get_uri
func getURI(buf unsafe.Pointer, limit uint32) uint32

//go:wasmimport http_handler get_header_names
func getHeaderNames(kind uint32, buf unsafe.Pointer, limit uint32) uint64

//go:wasmimport http_handler get_header_values
func getHeaderValues(kind uint32, name unsafe.Pointer, nameLen uint32, buf unsafe.Pointer, limit uint32) uint64

//go:wasmimport http_handler set_header_value
func setHeaderValue(kind uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32)

//go:wasmimport http_handler read_body
func readBody(kind uint32, buf unsafe.Pointer, limit uint32) uint64

//go:wasmimport http_handler write_body
func writeBody(kind uint32, body unsafe.Pointer, bodyLen uint32)

// The kinds of headers and bodies.
const (
	kindRequest  = 0
	kindResponse = 1
)

// buffer takes what the host gives; a request is smaller.
var buffer [64 << 10]byte

// text is what a function has put into the buffer.
func text(get func(buf unsafe.Pointer, limit uint32) uint32) string {
	n := get(unsafe.Pointer(&buffer), uint32(len(buffer)))
	return string(buffer[:n])
}

// list is text for a sequence of strings, each ended by a NUL.
func list(get func(buf unsafe.Pointer, limit uint32) uint64) []string {
	all := text(func(buf unsafe.Pointer, limit uint32) uint32 { return uint32(get(buf, limit)) })
	if all == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(all, "\x00"), "\x00")
}

// tell sets a header of the response.
func tell(name, value string) {
	setHeaderValue(kindResponse, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), unsafe.Pointer(unsafe.StringData(value)), uint32(len(value)))
}

//go:wasmexport handle_request
func handleRequest() uint64 {
	tell("x-httpwasm-next-method", text(getMethod))
	tell("x-httpwasm-next-uri", text(getURI))
	for _, name := range list(func(buf unsafe.Pointer, limit uint32) uint64 { return getHeaderNames(kindRequest, buf, limit) }) {
		values := list(func(buf unsafe.Pointer, limit uint32) uint64 {
			return getHeaderValues(kindRequest, unsafe.Pointer(unsafe.StringData(name)), uint32(len(name)), buf, limit)
		})
		for i, value := range values {
			tell("x-httpwasm-next-header-"+name+"-"+strconv.Itoa(i), value)
		}
	}
	for {
		n := readBody(kindRequest, unsafe.Pointer(&buffer), uint32(len(buffer)))
		if uint32(n) > 0 {
			writeBody(kindResponse, unsafe.Pointer(&buffer), uint32(n))
		}
		if n>>32 == 1 {
			return 0
		}
	}
}

//go:wasmexport handle_response
func handleResponse(uint32, uint32) {}

func main() {}
