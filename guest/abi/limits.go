package abi

import (
	"errors"
	"fmt"
	"time"
)

// Limits are what a handler asks to be bounded by in each request, in its
// manifest. They can be narrower than the host's, never wider: a handler that
// asks for more than the host gives is refused when it is loaded. Zero leaves
// the host's limit.
type Limits struct {
	// MemoryKiB is the most linear memory of a sandbox, in KiB; the host
	// rounds it up to WebAssembly's pages of 64 KiB.
	MemoryKiB int `json:"memoryKiB,omitempty"`
	// DeadlineMS is the longest that one request may take, in milliseconds,
	// the handler's waiting for a sandbox included.
	DeadlineMS int `json:"deadlineMS,omitempty"`
	// ResponseKiB is the longest body of a response, in KiB.
	ResponseKiB int `json:"responseKiB,omitempty"`
	// HostCalls is the most calls of module "lectern" in one request.
	HostCalls int `json:"hostCalls,omitempty"`
	// LogKiB is the most that one request may write to the log, in KiB.
	LogKiB int `json:"logKiB,omitempty"`
	// Sandboxes is how many requests the handler may work on at once.
	Sandboxes int `json:"sandboxes,omitempty"`
}

// Deadline is DeadlineMS as a duration; zero for none.
func (l Limits) Deadline() time.Duration { return time.Duration(l.DeadlineMS) * time.Millisecond }

// validate names every limit that cannot be meant.
func (l Limits) validate() error {
	var faults []error
	for _, limit := range []struct {
		name  string
		value int
	}{
		{"memoryKiB", l.MemoryKiB}, {"deadlineMS", l.DeadlineMS}, {"responseKiB", l.ResponseKiB},
		{"hostCalls", l.HostCalls}, {"logKiB", l.LogKiB}, {"sandboxes", l.Sandboxes},
	} {
		if limit.value < 0 || limit.value > 1<<30 {
			faults = append(faults, fmt.Errorf("manifest: limits.%s is %d: it must be between 1 and %d, or be left out", limit.name, limit.value, 1<<30))
		}
	}
	return errors.Join(faults...)
}
