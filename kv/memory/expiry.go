package memory

import (
	"container/heap"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// dueItem says that something has to happen to a record at a time: a value
// expires, a tombstone is forgotten. It is stale if the key has a newer record.
type dueItem struct {
	at  time.Time
	rec *record
}

// dueHeap is a container/heap with the earliest item first; items of one
// instant come in the order of their revisions, so that replays agree.
type dueHeap []dueItem

// Len implements [heap.Interface].
func (h dueHeap) Len() int { return len(h) }

// Less implements [heap.Interface].
func (h dueHeap) Less(i, j int) bool {
	if h[i].at.Equal(h[j].at) {
		return h[i].rec.entry.Revision < h[j].rec.entry.Revision
	}
	return h[i].at.Before(h[j].at)
}

// Swap implements [heap.Interface].
func (h dueHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Push implements [heap.Interface].
func (h *dueHeap) Push(x any) { *h = append(*h, x.(dueItem)) }

// Pop implements [heap.Interface].
func (h *dueHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1] = dueItem{}
	*h = old[:len(old)-1]
	return last
}

// schedule notes when rec expires or is forgotten. Too many stale items (keys
// that are refreshed far more often than they expire) are swept out.
func (s *Store) schedule(rec *record) {
	at := rec.entry.Expires
	if rec.kind != kv.EventPut {
		at = rec.entry.Modified.Add(kv.TombstoneAge)
	}
	if at.IsZero() {
		return
	}
	heap.Push(&s.due, dueItem{at: at, rec: rec})
	if len(s.due) > 2*len(s.records)+64 {
		s.sweep()
	}
}

// sweep drops the stale items of the heap.
func (s *Store) sweep() {
	kept := s.due[:0]
	for _, d := range s.due {
		if s.records[d.rec.entry.Key] == d.rec {
			kept = append(kept, d)
		}
	}
	clear(s.due[len(kept):])
	s.due = kept
	heap.Init(&s.due)
}

// expire does all that is due at now. Each expired value becomes a tombstone
// with a revision of its own, as in JetStream.
func (s *Store) expire(now time.Time) {
	changed := false
	for len(s.due) > 0 && !now.Before(s.due[0].at) {
		d := heap.Pop(&s.due).(dueItem)
		key := d.rec.entry.Key
		switch {
		case s.records[key] != d.rec:
			// A newer record took its place.
		case d.rec.kind == kv.EventPut:
			s.put(&record{kind: kv.EventExpire, entry: kv.Entry{Key: key, Modified: now}})
			changed = true
		default:
			delete(s.records, key)
			s.keys.remove(key)
			s.forgotten = max(s.forgotten, d.rec.entry.Revision)
		}
	}
	if changed {
		s.arm(now)
		s.notify()
	}
}

// arm sets the timer to the first item that is due.
func (s *Store) arm(now time.Time) {
	if len(s.due) == 0 || s.closed {
		return
	}
	wait := s.due[0].at.Sub(now)
	if s.timer == nil {
		s.timer = time.AfterFunc(wait, s.tick)
		return
	}
	s.timer.Reset(wait)
}

// tick is what the timer runs.
func (s *Store) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	now := time.Now()
	s.expire(now)
	s.arm(now)
}
