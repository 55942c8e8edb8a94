//go:build !wasip1

package sdk

import "github.com/lectern-lms/lectern/guest/abi"

// current is the host of the running test; see Fake.
var current host = noHost{}

// noHost says what is wrong when a handler's function is called natively
// without a Fake.
type noHost struct{}

// noHostMessage tells the author of a test what is missing.
const noHostMessage = "sdk: there is no host: call handlers through a sdk.Fake in tests"

func (noHost) call(abi.Op, []byte) (abi.Status, []byte) { panic(noHostMessage) }
func (noHost) method() string                           { panic(noHostMessage) }
func (noHost) uri() string                              { panic(noHostMessage) }
func (noHost) header(string) string                     { panic(noHostMessage) }
func (noHost) body() []byte                             { panic(noHostMessage) }
func (noHost) setStatus(int)                            { panic(noHostMessage) }
func (noHost) setHeader(string, string)                 { panic(noHostMessage) }
func (noHost) writeBody([]byte)                         { panic(noHostMessage) }
func (noHost) log(int32, string)                        { panic(noHostMessage) }
func (noHost) setMethod(string)                         { panic(noHostMessage) }
func (noHost) setURI(string)                            { panic(noHostMessage) }
func (noHost) setRequestHeader(string, string)          { panic(noHostMessage) }
func (noHost) getStatus() int                           { panic(noHostMessage) }
func (noHost) getAnswerHeader(string) string            { panic(noHostMessage) }
func (noHost) answerBody() []byte                       { panic(noHostMessage) }
func (noHost) replaceHeader(string, string)             { panic(noHostMessage) }
func (noHost) removeHeader(string)                      { panic(noHostMessage) }
