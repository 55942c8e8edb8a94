package engine

import (
	"errors"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Limits bound what one sandbox may use.
type Limits struct {
	// MemoryPages is the most linear memory, in pages of 64 KiB.
	MemoryPages uint32
	// Response is the longest response body in bytes.
	Response int
	// HeaderBytes is the most that all response headers may take together.
	HeaderBytes int
	// Log is the most that one request may write to the log, in bytes.
	Log int
	// HostCalls is the most calls of module "lectern" in one request.
	HostCalls int
	// Deadline is the longest that a request may take, the wait for a sandbox
	// included; 0 leaves that to the request's context.
	Deadline time.Duration
}

// DefaultLimits suit pages of a web site: 64 MiB of memory, 8 MiB of
// response, 10,000 host calls.
var DefaultLimits = Limits{
	MemoryPages: 1024,
	Response:    8 << 20,
	HeaderBytes: 64 << 10,
	Log:         16 << 10,
	HostCalls:   10_000,
}

// narrow gives the limits of a handler: the engine's, and where its manifest
// asks for less, that. The error names everything that it asks for and the
// engine does not give.
func (l Limits) narrow(m abi.Limits) (Limits, error) {
	var faults []error
	ask := func(name string, asked, given int) int {
		if asked > given {
			faults = append(faults, fmt.Errorf("its manifest asks for limits.%s %d, this host gives at most %d: ask for less, or leave it out", name, asked, given))
		}
		if asked == 0 {
			return given
		}
		return asked
	}
	const kib, pageKiB = 1 << 10, wasmPage >> 10
	l.MemoryPages = uint32((ask("memoryKiB", m.MemoryKiB, int(l.MemoryPages)*pageKiB) + pageKiB - 1) / pageKiB)
	l.Response = ask("responseKiB", m.ResponseKiB, l.Response/kib) * kib
	l.Log = ask("logKiB", m.LogKiB, l.Log/kib) * kib
	l.HostCalls = ask("hostCalls", m.HostCalls, l.HostCalls)
	if asked := m.Deadline(); asked > 0 && (l.Deadline == 0 || asked < l.Deadline) {
		l.Deadline = asked
	}
	return l, errors.Join(faults...)
}
