// Package memory is the kv adapter that keeps everything in one process:
// for tests, for plain `go test` of code above kv, and as the reference that
// the other adapters are compared with. Nothing survives the process.
//
// A Store starts no goroutine. Its one timer turns expired keys into
// tombstones, so it works inside a testing/synctest bubble.
package memory

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Store is a [kv.Store] in memory. Make one with [New].
type Store struct {
	mu      sync.Mutex
	closed  bool
	last    kv.Revision        // the newest revision given out
	records map[string]*record // live keys and tombstones
	keys    keySet             // the keys of records, in byte order
	due     dueHeap            // records that expire, and tombstones to forget
	timer   *time.Timer        // runs tick when the first of due is due
	log     changeLog          // recent changes, for feeds
	wake    chan struct{}      // closed and replaced at each change and at Close
	// forgotten is the newest revision of a tombstone that is gone. What
	// happened up to it can no longer be told from the records.
	forgotten kv.Revision
}

// Store keeps the promise of its doc.
var _ kv.Store = (*Store)(nil)

// record is the newest change of one key. It is never altered after it was
// stored, so feeds may keep pointers to it.
type record struct {
	kind  kv.EventKind
	entry kv.Entry
}

// alive tells whether the record is a value that has not expired at now.
func (r *record) alive(now time.Time) bool {
	return r != nil && r.kind == kv.EventPut && (r.entry.Expires.IsZero() || now.Before(r.entry.Expires))
}

// New returns an empty store.
func New() *Store {
	return &Store{records: map[string]*record{}, wake: make(chan struct{})}
}

// lock takes the mutex for one call and brings expiry up to date. On an error
// the mutex is not held.
func (s *Store) lock(ctx context.Context) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return time.Time{}, fmt.Errorf("%w: the memory store", kv.ErrClosed)
	}
	now := time.Now()
	s.expire(now)
	return now, nil
}

// Get implements [kv.Store].
func (s *Store) Get(ctx context.Context, key string) (kv.Entry, error) {
	if err := kv.CheckKey(key); err != nil {
		return kv.Entry{}, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return kv.Entry{}, err
	}
	defer s.mu.Unlock()
	r := s.records[key]
	if !r.alive(now) {
		return kv.Entry{}, fmt.Errorf("%w: %.80q", kv.ErrNotFound, key)
	}
	return copyEntry(r.entry), nil
}

// Scan implements [kv.Store]. The page's revision is the newest of the whole
// store, which covers every prefix.
func (s *Store) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	if err := kv.CheckPrefix(r.Prefix); err != nil {
		return kv.Page{}, err
	}
	now, err := s.lock(ctx)
	if err != nil {
		return kv.Page{}, err
	}
	defer s.mu.Unlock()
	page := kv.Page{Revision: s.last}
	for key := range s.keys.from(max(r.Prefix, r.After)) {
		if !strings.HasPrefix(key, r.Prefix) {
			break
		}
		rec := s.records[key]
		if key <= r.After || !rec.alive(now) {
			continue
		}
		if r.Limit > 0 && len(page.Entries) == r.Limit {
			page.More = true
			break
		}
		page.Entries = append(page.Entries, copyEntry(rec.entry))
	}
	return page, nil
}

// Close implements [kv.Store]. Feeds end with [kv.ErrClosed].
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.timer != nil {
		s.timer.Stop()
	}
	close(s.wake)
	return nil
}

// copyEntry gives a caller bytes of its own.
func copyEntry(e kv.Entry) kv.Entry {
	e.Value = bytes.Clone(e.Value)
	return e
}
