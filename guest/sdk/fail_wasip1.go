package sdk

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// deepest is how many functions of the stack of a panic are told.
const deepest = 32

// failed ends a request in which the handler has panicked, so that the host
// stores nothing of it and logs why. It is deferred.
func failed() {
	p := recover()
	if p == nil {
		return
	}
	message := abi.Writer(nil).String(panicText(p))
	hostCall(uint32(abi.OpFail), bytesAt(message), uint32(len(message)), nil, 0)
}

// panicText is a panic with its stack, in the form of Go's runtime.
func panicText(p any) string {
	var b strings.Builder
	switch v := p.(type) {
	case error:
		fmt.Fprintf(&b, "panic: %s\n\n", v.Error())
	default:
		fmt.Fprintf(&b, "panic: %v\n\n", v)
	}
	callers := make([]uintptr, deepest)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for more := true; more; {
		var f runtime.Frame
		if f, more = frames.Next(); f.Function != "" {
			fmt.Fprintf(&b, "%s()\n\t%s:%d\n", f.Function, f.File, f.Line)
		}
	}
	return b.String()
}
