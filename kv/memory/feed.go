package memory

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/lectern-lms/lectern/kv"
)

// The bounds of the change log: a feed that falls further behind reads the
// records themselves, and so skips changes that were overwritten.
const (
	logRecords = 4096     // changes
	logBytes   = 16 << 20 // bytes of their values
)

// changeLog holds the newest changes in ascending order of revision, without
// a gap up to the store's newest.
type changeLog struct {
	records []*record
	bytes   int
}

// add appends one change and drops the oldest ones over the bounds.
func (l *changeLog) add(rec *record) {
	l.records = append(l.records, rec)
	l.bytes += len(rec.entry.Value)
	drop := 0
	for len(l.records)-drop > logRecords || l.bytes > logBytes && drop < len(l.records)-1 {
		l.bytes -= len(l.records[drop].entry.Value)
		drop++
	}
	if drop > 0 {
		clear(l.records[:drop])
		l.records = l.records[drop:]
	}
}

// since returns the changes after a revision, and false if the log no longer
// reaches back that far.
func (l *changeLog) since(after kv.Revision) ([]*record, bool) {
	if len(l.records) == 0 || after+1 < l.records[0].entry.Revision {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(l.records, after+1, func(r *record, rev kv.Revision) int {
		return cmp.Compare(r.entry.Revision, rev)
	})
	return l.records[i:], true
}

// feed is a [kv.Feed] that pulls from the store, so a slow reader costs no
// memory beyond what it took in one pull.
type feed struct {
	store  *Store
	prefix string
	after  kv.Revision // everything up to it was taken into pending
	ready  []*record   // taken, not yet delivered
	closed chan struct{}
	once   sync.Once
}

// Watch implements [kv.Store].
func (s *Store) Watch(ctx context.Context, prefix string, after kv.Revision) (kv.Feed, error) {
	if err := kv.CheckPrefix(prefix); err != nil {
		return nil, err
	}
	if _, err := s.lock(ctx); err != nil {
		return nil, err
	}
	defer s.mu.Unlock()
	if err := s.remembers(after); err != nil {
		return nil, err
	}
	return &feed{store: s, prefix: prefix, after: after, closed: make(chan struct{})}, nil
}

// remembers returns an error if a deletion after the revision may have been
// forgotten. A feed from the beginning needs no deletions.
func (s *Store) remembers(after kv.Revision) error {
	if after == 0 || after >= s.forgotten {
		return nil
	}
	if _, ok := s.log.since(after); ok {
		return nil
	}
	return fmt.Errorf("%w: deletions after revision %d are forgotten; scan, and watch from the page's revision", kv.ErrUnavailable, after)
}

// Settled implements [kv.Settler]: one pull takes all that there is.
func (f *feed) Settled() bool { return len(f.ready) == 0 }

// Next implements [kv.Feed].
func (f *feed) Next(ctx context.Context) (kv.Event, error) {
	for {
		if err := ctx.Err(); err != nil {
			return kv.Event{}, err
		}
		select {
		case <-f.closed:
			return kv.Event{}, fmt.Errorf("%w: the feed", kv.ErrClosed)
		default:
		}
		wake, err := f.pull()
		if err != nil {
			return kv.Event{}, err
		}
		if len(f.ready) > 0 {
			rec := f.ready[0]
			f.ready = f.ready[1:]
			return kv.Event{Kind: rec.kind, Entry: copyEntry(rec.entry)}, nil
		}
		select {
		case <-wake:
		case <-f.closed:
		case <-ctx.Done():
		}
	}
}

// Close implements [kv.Feed].
func (f *feed) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

// pull takes new changes from the store if none is ready, and returns the
// channel that is closed at the next change.
func (f *feed) pull() (<-chan struct{}, error) {
	s := f.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, fmt.Errorf("%w: the memory store", kv.ErrClosed)
	}
	if len(f.ready) > 0 || f.after >= s.last {
		return s.wake, nil
	}
	if err := s.remembers(f.after); err != nil {
		return nil, err
	}
	f.ready = s.changes(f.prefix, f.after)
	f.after = s.last
	return s.wake, nil
}

// changes returns what happened under prefix after a revision, in order: from
// the log, or, if that is too short, the newest change of each key.
func (s *Store) changes(prefix string, after kv.Revision) []*record {
	var out []*record
	if recent, ok := s.log.since(after); ok {
		for _, rec := range recent {
			if strings.HasPrefix(rec.entry.Key, prefix) {
				out = append(out, rec)
			}
		}
		return out
	}
	for key := range s.keys.from(prefix) {
		if !strings.HasPrefix(key, prefix) {
			break
		}
		if rec := s.records[key]; rec.entry.Revision > after {
			out = append(out, rec)
		}
	}
	slices.SortFunc(out, func(a, b *record) int {
		return cmp.Compare(a.entry.Revision, b.entry.Revision)
	})
	return out
}
