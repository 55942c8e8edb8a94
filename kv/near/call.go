package near

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// joinable is how long after its begin a call may still be joined. Somebody
// who joins is given what the store held when the call began, and no answer may
// be older than the Lease.
const joinable = Lease / 4

// call is one read of the store below, for all who ask the same at that time.
// The lock of the map that it is in guards newest.
type call struct {
	done  chan struct{} // closed when the answer is there
	begun time.Time
	from  kv.Revision // the feed's position at the begin: the answer is as new
	term  uint64      // the feed's term at the begin
	// newest is the newest known change of what is being read since the begin.
	newest kv.Revision

	entry  kv.Entry
	page   kv.Page
	absent bool // err is ErrNotFound
	err    error
	// spoilt says that the call failed because its first caller's context
	// ended, so that others must ask for themselves.
	spoilt bool
}

// errUnfinished is the answer of a call whose caller did not come to an end.
var errUnfinished = fmt.Errorf("%w: the store's answer was lost", kv.ErrUnavailable)

// newCall begins a call.
func (s *Store) newCall() *call {
	// The term first: a feed that begins in between has seen less, not more.
	term := s.term.Load()
	return &call{done: make(chan struct{}), begun: time.Now(), from: s.at(), term: term, err: errUnfinished}
}

// admits returns what tells whether somebody who asks now for at least a
// revision may have a call's answer.
func (s *Store) admits(least kv.Revision) func(*call) bool {
	least = max(least, kv.Revision(s.shown.Load()))
	return func(c *call) bool {
		return c.newest == 0 && c.term == s.term.Load() && c.from >= least && time.Since(c.begun) < joinable
	}
}

// await waits for a call that somebody else makes.
func (c *call) await(ctx context.Context) error {
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// join returns the call to wait for, or one that the caller must make.
func (h *shard) join(key string, admits func(*call) bool, begin func() *call) (c *call, mine bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c = h.calls[key]; c != nil && admits(c) {
		return c, false
	}
	c = begin()
	h.calls[key] = c
	return c, true
}
