package engine

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lectern-lms/lectern/host/engine/pool"
	"github.com/tetratelabs/wazero/sys"
)

// Fault is a misuse of the host by a guest, such as a pointer outside its
// memory. Host functions panic with it; wazero turns the panic into the error
// of the call and stops the guest.
type Fault string

// Error says what the guest did.
func (f Fault) Error() string { return "handler fault: " + string(f) }

// faultf is Fault with formatting.
func faultf(format string, args ...any) Fault { return Fault(fmt.Sprintf(format, args...)) }

// ErrBusy says that no sandbox came free before the request's deadline.
var ErrBusy = pool.ErrBusy

// ErrClosed says that the handler or the engine was closed.
var ErrClosed = pool.ErrClosed

// The causes of a Failure; they label metrics. A panic is what the guest's own
// runtime noticed, a trap what the engine did.
const (
	CauseTrap     = "trap"
	CausePanic    = "panic"
	CauseTimeout  = "timeout"
	CauseFault    = "fault"
	CauseCanceled = "canceled"
)

// Failure is why a handler gave no response. It is for the log only: it
// names functions of the handler and may quote what it printed.
type Failure struct {
	// Handler is the name in the manifest.
	Handler string
	// Cause is one of the Cause constants.
	Cause string
	// Err is the engine's error, with the guest's stack.
	Err error
	// Output is the last that the guest wrote to its standard error; the Go
	// runtime prints its stack traces there.
	Output string
}

// Error describes the failure in one line.
func (f *Failure) Error() string {
	first, _, _ := strings.Cut(f.Err.Error(), "\n")
	if line := panicLine(f.Output); line != "" && f.Cause == CausePanic {
		first = line
	}
	return fmt.Sprintf("handler %s stopped (%s): %s", f.Handler, f.Cause, first)
}

// Unwrap gives the engine's error.
func (f *Failure) Unwrap() error { return f.Err }

// Stack is the trace with the guest's function names: what the guest printed
// and where the engine stopped it.
func (f *Failure) Stack() string {
	if f.Output == "" {
		return f.Err.Error()
	}
	return f.Output + "\n" + f.Err.Error()
}

// newFailure finds the cause of an error of a guest call.
func newFailure(handler string, err error, output string) *Failure {
	f := &Failure{Handler: handler, Cause: CauseTrap, Err: err, Output: output}
	var exit *sys.ExitError
	var fault Fault
	switch {
	case errors.Is(err, outOfTime):
		f.Cause = CauseTimeout
	case errors.Is(err, abandoned):
		f.Cause = CauseCanceled
	case errors.As(err, &fault):
		f.Cause = CauseFault
	case errors.As(err, &exit), panicLine(output) != "":
		f.Cause = CausePanic
	}
	return f
}

// panicLine is the line in which Go's runtime says why it stops, "" if there
// is none. It stops by an instruction that traps.
func panicLine(output string) string {
	for line := range strings.Lines(output) {
		if strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}
