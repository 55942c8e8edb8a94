package near

import (
	"context"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// mark is a heartbeat that was written.
type mark struct {
	begun    time.Time // before the write
	wall     int64     // the same by the wall clock, in nanoseconds since 1970
	number   uint64    // counts the heartbeats of this member
	revision kv.Revision
	shown    kv.Revision // the newest that was shown before the write
}

// holds tells whether the mark is young enough to answer by, by both of this
// machine's clocks. A wall clock that was set back does not matter.
func (m *mark) holds(now time.Time) bool {
	return m != nil && now.Sub(m.begun) < Lease && now.UnixNano()-m.wall < int64(Lease)
}

// confirm returns nil if what a read of the store gives now is no older than
// the Lease and a revision; see the package comment. If need be it has a
// heartbeat written. A revision that the store has not reached even then is
// none of this store, or was lost when it was restored from a copy.
func (s *Store) confirm(ctx context.Context, least kv.Revision) error {
	if least > s.at() && !s.confirmed(least) {
		s.reaches(ctx, least)
	}
	begun := time.Now()
	for tried := false; ; tried = true {
		ring, failed := s.pulse.wait()
		m := s.acked.Load()
		switch {
		case s.confirmed(least), m.holds(time.Now()) && !m.begun.Before(begun):
			return nil
		case tried && failed != nil:
			s.counts.refusals.Add(1)
			return unavailable("the store takes no write, so its answers prove nothing", failed)
		}
		s.pulse.poke()
		select {
		case <-ring:
		case <-ctx.Done():
			return unavailable("waiting for a heartbeat", ctx.Err())
		case <-s.life.Done():
			return s.open(ctx)
		}
	}
}

// confirmed tells whether the store has acknowledged a heartbeat within the
// Lease, and has shown that it holds a revision.
func (s *Store) confirmed(least kv.Revision) bool {
	m := s.acked.Load()
	return m.holds(time.Now()) && (least <= m.revision || least <= s.at())
}
