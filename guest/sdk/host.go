package sdk

import "github.com/lectern-lms/lectern/guest/abi"

// host is what the SDK needs from the machine below: the functions of the
// http-wasm ABI that it uses and the one of module "lectern". Under wasip1
// they are WebAssembly imports; in `go test` a Fake stands in.
type host interface {
	call(op abi.Op, message []byte) (abi.Status, []byte)
	method() string
	uri() string
	header(name string) string
	body() []byte
	setStatus(code int)
	setHeader(name, value string)
	writeBody(p []byte)
	log(level int32, message string)

	// These are for handlers in front of others; see Front.
	setMethod(method string)
	setURI(uri string)
	setRequestHeader(name, value string)
	getStatus() int
	getAnswerHeader(name string) string
	answerBody() []byte
	replaceHeader(name, value string)
	removeHeader(name string)
}

// levelError is http-wasm's log level for errors.
const levelError = 2
