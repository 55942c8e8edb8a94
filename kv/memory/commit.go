package memory

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Commit implements [kv.Store].
func (s *Store) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if err := kv.CheckCommit(checks, writes); err != nil {
		return 0, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return 0, err
	}
	defer s.mu.Unlock()
	for _, c := range checks {
		if !s.holds(c, now) {
			return 0, fmt.Errorf("%w: %.80q changed since revision %d", kv.ErrConflict, c.Key, c.Revision)
		}
	}
	if len(writes) == 0 {
		return 0, nil
	}
	for _, w := range writes {
		s.write(w, now)
	}
	s.arm(now)
	s.notify()
	return s.last, nil
}

// holds tells whether a check is true at now.
func (s *Store) holds(c kv.Check, now time.Time) bool {
	if c.IsPrefix {
		return s.prefixHolds(c)
	}
	r := s.records[c.Key]
	if !r.alive(now) {
		return c.Revision == 0
	}
	return r.entry.Revision == c.Revision
}

// prefixHolds tells whether nothing under the prefix is newer than the check's
// revision, neither among the records nor among the forgotten tombstones.
func (s *Store) prefixHolds(c kv.Check) bool {
	if c.Revision < s.forgotten {
		return false
	}
	for key := range s.keys.from(c.Key) {
		if !strings.HasPrefix(key, c.Key) {
			break
		}
		if s.records[key].entry.Revision > c.Revision {
			return false
		}
	}
	return true
}

// write makes one write of a commit the newest record of its key.
func (s *Store) write(w kv.Write, now time.Time) {
	rec := &record{kind: kv.EventPut, entry: kv.Entry{Key: w.Key, Modified: now}}
	if w.Remove {
		rec.kind = kv.EventDelete
	} else {
		rec.entry.Value = bytes.Clone(w.Value)
		if w.TTL > 0 {
			rec.entry.Expires = now.Add(w.TTL)
		}
	}
	s.put(rec)
}

// put gives a record the next revision and stores it.
func (s *Store) put(rec *record) {
	s.last++
	rec.entry.Revision = s.last
	key := rec.entry.Key
	if _, ok := s.records[key]; !ok {
		s.keys.add(key)
	}
	s.records[key] = rec
	s.schedule(rec)
	s.log.add(rec)
}

// notify wakes every feed that waits.
func (s *Store) notify() {
	close(s.wake)
	s.wake = make(chan struct{})
}
