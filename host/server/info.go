package server

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// requestInfo is what the middleware knows of a request; inner steps add to
// it. It is the request's context as well, with the deadline of its answer: a
// timer and what belongs to it are made only if somebody waits for Done, which
// most requests never do.
type requestInfo struct {
	parent   context.Context
	deadline time.Time

	id string
	// route is the pattern that matched, for the log and the metrics: a path
	// would make as many metrics as there are paths.
	route string
	// client is the address of the client, behind trusted proxies.
	client netip.Addr
	https  bool

	mu     sync.Mutex
	timed  context.Context // parent with the deadline, made when it is needed
	cancel context.CancelFunc
	ended  bool
}

// infoKey finds the requestInfo in a request's context.
type infoKey struct{}

// Deadline is when the answer must be there.
func (i *requestInfo) Deadline() (time.Time, bool) { return i.deadline, true }

// Done is closed at the deadline, or when the client goes away or has its
// answer.
func (i *requestInfo) Done() <-chan struct{} { return i.full().Done() }

// Err tells whether it is too late, and why.
func (i *requestInfo) Err() error {
	i.mu.Lock()
	timed, ended := i.timed, i.ended
	i.mu.Unlock()
	switch {
	case timed != nil:
		return timed.Err()
	case ended:
		return context.Canceled
	case !time.Now().Before(i.deadline):
		return context.DeadlineExceeded
	}
	return i.parent.Err()
}

// Value finds the requestInfo itself, or what the context below has.
func (i *requestInfo) Value(key any) any {
	if key == (infoKey{}) {
		return i
	}
	i.mu.Lock()
	timed := i.timed
	i.mu.Unlock()
	if timed != nil {
		return timed.Value(key) // so that contexts made of this one need no goroutine
	}
	return i.parent.Value(key)
}

// full gives the context with its timer.
func (i *requestInfo) full() context.Context {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.timed == nil {
		i.timed, i.cancel = context.WithDeadline(i.parent, i.deadline)
		if i.ended {
			i.cancel()
		}
	}
	return i.timed
}

// end frees the timer when the answer is sent.
func (i *requestInfo) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	if i.cancel != nil {
		i.cancel()
	}
}
