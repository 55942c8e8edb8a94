package near_test

import (
	"strconv"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

// history is what the writer of a key did: operation i wrote the value i, or
// deleted the key. What a reader may see is a range of operations.
type history struct {
	mu      sync.Mutex
	deletes []bool        // by operation
	times   []time.Time   // when it was acknowledged; zero if it was not
	revs    []kv.Revision // the same
	fenced  int           // every operation before it was fenced, or replaced by one that was
	own     []int         // by member: the newest that was acknowledged through it
}

// begin notes an operation that is about to be made.
func (h *history) begin(remove bool) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deletes = append(h.deletes, remove)
	h.times, h.revs = append(h.times, time.Time{}), append(h.revs, 0)
	return len(h.deletes) - 1
}

// acknowledged notes that an operation was made through a member.
func (h *history) acknowledged(op, member int, rev kv.Revision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.times[op], h.revs[op], h.own[member] = time.Now(), rev, op
}

// oldest is the oldest operation that a read through a member may show now:
// fenced, made through it, or acknowledged a Lease ago.
func (h *history) oldest(member int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	op := max(h.fenced, h.own[member])
	for i := len(h.times) - 1; i > op; i-- {
		if !h.times[i].IsZero() && time.Since(h.times[i]) > near.Lease {
			return i
		}
	}
	return op
}

// newest is the newest acknowledged operation, with its revision.
func (h *history) newest() (int, kv.Revision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.times) - 1; i > 0; i-- {
		if !h.times[i].IsZero() {
			return i, h.revs[i]
		}
	}
	return 0, 0
}

// allows tells whether a value may be seen by a read that began when from was
// the oldest.
func (h *history) allows(value string, from int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if value == "" {
		for i := from; i < len(h.deletes); i++ {
			if h.deletes[i] {
				return true
			}
		}
		return false
	}
	op, err := strconv.Atoi(value)
	return err == nil && op >= from && op < len(h.deletes) && !h.deletes[op]
}
