package jetstream

import (
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// seenSlots is how many revisions a store remembers: those of the last moments
// even under load, in 128 KiB.
const seenSlots = 4096

// seenRevisions remembers when recently read or written values expire. The
// server's own expiry is in whole seconds and later, so a check on a revision
// must also ask whether its value is still alive; this saves asking the server.
type seenRevisions struct {
	mu    sync.Mutex
	slots [seenSlots]seenRevision
}

// seenRevision is one slot; revision r is in slot r modulo seenSlots.
type seenRevision struct {
	revision kv.Revision
	expires  time.Time
}

// add remembers a record if it is a value.
func (s *seenRevisions) add(r record) {
	if r.kind == kv.EventPut {
		s.put(r.entry.Revision, r.entry.Expires)
	}
}

// put remembers when the value at a revision expires, zero for never.
func (s *seenRevisions) put(rev kv.Revision, expires time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.slots[rev%seenSlots] = seenRevision{rev, expires}
}

// get returns when the value at a revision expires, and false if that is not
// remembered.
func (s *seenRevisions) get(rev kv.Revision) (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slot := s.slots[rev%seenSlots]
	return slot.expires, slot.revision == rev
}

// maxSeenPages is how many pages one generation of seenPages holds.
const maxSeenPages = 1024

// pageAge is how long a page may be used in a check. Within it no deletion is
// forgotten by the stream.
const pageAge = kv.TombstoneAge - time.Minute

// pageKey names a page: what was scanned, and the revision it was given.
type pageKey struct {
	prefix   string
	revision kv.Revision
}

// pageFacts is what a check of a page needs and its revision cannot tell.
type pageFacts struct {
	last    uint64    // newest sequence under the prefix, zero if none
	expires time.Time // when the first value of the page expires; zero if none does
	at      time.Time // when it was scanned
}

// seenPages remembers the pages that were given out, in two generations, so
// that memory is bounded and the newest are always there.
type seenPages struct {
	mu       sync.Mutex
	now, old map[pageKey]pageFacts
}

// put remembers a page.
func (s *seenPages) put(key pageKey, facts pageFacts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now == nil || len(s.now) >= maxSeenPages {
		s.now, s.old = make(map[pageKey]pageFacts), s.now
	}
	s.now[key] = facts
}

// get returns what is remembered of a page.
func (s *seenPages) get(key pageKey) (pageFacts, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	facts, ok := s.now[key]
	if !ok {
		facts, ok = s.old[key]
	}
	return facts, ok
}
