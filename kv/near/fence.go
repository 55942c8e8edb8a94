package near

import (
	"context"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Fence implements [kv.Fencer]; the package comment explains it.
func (s *Store) Fence(ctx context.Context, rev kv.Revision) error {
	if err := s.open(ctx); err != nil || rev == 0 {
		return err
	}
	s.counts.fences.Add(1)
	defer s.pulse.wants(rev)()
	begun, asked := time.Now(), false
	for {
		ring, now := s.news.wait(), time.Now()
		until := s.fenced(rev, begun, now)
		if !now.Before(until) {
			return nil
		}
		// The feed alone may be enough, if only it comes soon.
		if soon := begun.Add(patience); !asked && s.members.live(now) == 0 && now.Before(soon) {
			until = soon
		} else if !asked {
			s.pulse.poke()
			asked = true
		}
		if err := s.pause(ctx, ring, until.Sub(now)); err != nil {
			return err
		}
	}
}

// fenced returns the time from which nobody answers with anything older than a
// revision that was committed before begun, as far as is known now.
func (s *Store) fenced(rev kv.Revision, begun, now time.Time) time.Time {
	// A lease that was begun before is out by then, whatever happens; and one
	// that was begun later has seen the revision.
	last := begun.Add(Lease + margin)
	if !s.following() || s.at() < rev {
		return last
	}
	if until := s.members.behind(rev, now); until.Before(last) {
		return until
	}
	return last
}

// pause waits for a ring or for some time.
func (s *Store) pause(ctx context.Context, ring <-chan struct{}, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ring:
	case <-t.C:
	case <-ctx.Done():
		return ctx.Err()
	case <-s.life.Done():
		return s.open(ctx)
	}
	return nil
}
