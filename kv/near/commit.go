package near

import (
	"context"
	"errors"
	"slices"

	"github.com/lectern-lms/lectern/kv"
)

// Commit implements [kv.Store]. When it has returned, this Store's reads show
// what was written.
func (s *Store) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if err := s.open(ctx); err != nil {
		return 0, err
	}
	for _, c := range checks {
		if err := reserved(c.Key); err != nil {
			return 0, err
		}
	}
	for _, w := range writes {
		if err := reserved(w.Key); err != nil {
			return 0, err
		}
	}
	c := s.flights.begin(writes)
	rev, err := s.commit(ctx, checks, writes)
	switch {
	case err == nil:
		s.wrote(writes, rev)
		s.reveal(rev)
	case errors.Is(err, kv.ErrInvalid), errors.Is(err, kv.ErrTooLarge):
	case errors.Is(err, kv.ErrConflict):
		// Whatever the checks rest on may have come from here, and have been
		// late: the next read asks the store, so that trying again gets on.
		s.distrust(checks)
	default:
		s.distrust(checks)
		s.wrote(writes, unknowable)
	}
	s.flights.end(c)
	if errors.Is(err, kv.ErrConflict) {
		if late := s.flights.failed(ctx, checks); late != nil {
			return 0, late
		}
	}
	return rev, err
}

// maxMoves is how often a commit with a check on the whole store is tried
// while heartbeats come in between.
const maxMoves = 8

// commit passes a commit to the store. Heartbeats are changes under the empty
// prefix, which callers must not notice: a check on it is moved up to the
// feed's position if nothing else has changed since.
func (s *Store) commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	whole := wholeStore(checks)
	for try := 1; ; try++ {
		moved := s.moveUp(checks)
		rev, err := s.store.Commit(ctx, moved, writes)
		if whole < 0 || try == maxMoves || !errors.Is(err, kv.ErrConflict) {
			return rev, err
		}
		// If a heartbeat is the reason, the feed brings it.
		if at := moved[whole].Revision; !s.reaches(ctx, at+1) || s.moveUp(checks)[whole].Revision == at {
			return rev, err
		}
	}
}

// wholeStore is the index of a check on the empty prefix, or -1.
func wholeStore(checks []kv.Check) int {
	for i, c := range checks {
		if c.IsPrefix && c.Key == "" {
			return i
		}
	}
	return -1
}

// moveUp returns the checks with those on the empty prefix moved up to the
// feed's position, where that is the same.
func (s *Store) moveUp(checks []kv.Check) []kv.Check {
	if wholeStore(checks) < 0 || !s.following() {
		return checks
	}
	// The position first: changes up to it are then known.
	at, begin, foreign := s.at(), kv.Revision(s.begin.Load()), kv.Revision(s.foreign.Load())
	out := slices.Clone(checks)
	for i, c := range out {
		if c.IsPrefix && c.Key == "" && c.Revision >= begin && c.Revision >= foreign {
			out[i].Revision = max(c.Revision, at)
		}
	}
	return out
}

// wrote tells the cache what this process has written, at most at a revision.
func (s *Store) wrote(writes []kv.Write, rev kv.Revision) {
	for _, w := range writes {
		h, hash := s.shard(w.Key)
		h.wrote(hash, w.Key, rev)
		s.pages.changed(w.Key, rev)
	}
}

// distrust drops what checks may rest on.
func (s *Store) distrust(checks []kv.Check) {
	for _, c := range checks {
		if c.IsPrefix {
			s.pages.distrust(c.Key)
			continue
		}
		h, hash := s.shard(c.Key)
		h.wrote(hash, c.Key, unknowable)
		s.pages.changed(c.Key, unknowable)
	}
}
