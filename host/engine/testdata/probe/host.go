package main

import "unsafe"

//go:wasmimport lectern call
func lecternCall(op uint32, in unsafe.Pointer, inLen uint32, out unsafe.Pointer, outCap uint32) uint64

//go:wasmimport lectern call
func rawCall(op, in, inLen, out, outCap uint32) uint64

//go:wasmimport http_handler get_uri
func getURI(buf unsafe.Pointer, limit uint32) uint32

//go:wasmimport http_handler get_uri
func rawGetURI(buf, limit uint32) uint32

//go:wasmimport http_handler write_body
func writeBody(kind uint32, body unsafe.Pointer, length uint32)

//go:wasmimport http_handler write_body
func rawWriteBody(kind, body, length uint32)

//go:wasmimport http_handler read_body
func rawReadBody(kind, body, limit uint32) uint64

//go:wasmimport http_handler set_status_code
func setStatus(code uint32)

//go:wasmimport http_handler add_header_value
func addHeader(kind uint32, name unsafe.Pointer, nameLen uint32, value unsafe.Pointer, valueLen uint32)

//go:wasmimport http_handler get_header_names
func headerNames(kind uint32, buf unsafe.Pointer, limit uint32) uint64

//go:wasmimport http_handler log
func log(level int32, message unsafe.Pointer, length uint32)

// at is where a string lies in memory.
func at(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }

// uri is the request's URI.
func uri() string {
	buf := make([]byte, 4096)
	return string(buf[:getURI(unsafe.Pointer(&buf[0]), uint32(len(buf)))])
}

// writeString adds to the response.
func writeString(s string) { writeBody(1, at(s), uint32(len(s))) }

// addHeaderString adds a header to the response.
func addHeaderString(name, value string) {
	addHeader(1, at(name), uint32(len(name)), at(value), uint32(len(value)))
}
