package near

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Times of heartbeats.
const (
	// beatEvery is how often a member that is read from writes one; less a
	// random tenth.
	beatEvery = 500 * time.Millisecond
	// beatTimeout bounds one write: half a Lease, so that what was acknowledged
	// is still of use.
	beatTimeout = Lease / 2
	// beatTTL removes members that died. It is so long that the clocks of the
	// machines may differ; see the package comment.
	beatTTL = time.Minute
	// idleAfter is how long after the last read the heartbeat pauses.
	idleAfter = 10 * time.Second
	// blindAfter is how long acknowledged heartbeats may not come back before
	// the feed is given up.
	blindAfter = 5 * time.Second
)

// keepBeating writes heartbeats until Close: while somebody reads, and whenever
// one is asked for.
func (s *Store) keepBeating() {
	tick := time.NewTimer(beatEvery)
	defer tick.Stop()
	reads, active := s.reads(), time.Now()
	pause := firstPause
	for {
		asked := false
		select {
		case <-s.life.Done():
			return
		case <-s.pulse.pokes:
			asked = true
			s.space()
		case <-tick.C:
		}
		if now := s.reads(); now != reads {
			reads, active = now, time.Now()
		}
		if asked || time.Since(active) < idleAfter {
			if _, err := s.beat(s.life); err == nil {
				pause = firstPause
			} else if !errors.Is(err, kv.ErrClosed) {
				sleep(s.life, pause+rand.N(pause/2))
				pause = min(2*pause, beatEvery)
			}
		}
		tick.Reset(beatEvery - rand.N(beatEvery/10))
	}
}

// space waits a moment for the last heartbeat to come back, so that those who
// ask for one at about the same time share the next.
func (s *Store) space() {
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		ring := s.news.wait()
		if !s.following() || s.pulse.returned() {
			return
		}
		select {
		case <-ring:
		case <-t.C:
			return
		case <-s.life.Done():
			return
		}
	}
}

// beat writes one heartbeat. One is under way at a time.
func (s *Store) beat(ctx context.Context) (mark, error) {
	s.pulse.writing.Lock()
	defer s.pulse.writing.Unlock()
	position := kv.Revision(0)
	if s.following() {
		position = s.at()
	}
	m, msg := s.pulse.next(position, kv.Revision(s.shown.Load()))
	ctx, cancel := context.WithTimeout(ctx, beatTimeout)
	defer cancel()
	var err error
	m.revision, err = s.store.Commit(ctx, nil, []kv.Write{kv.PutTTL(s.beatKey, msg.encode(), beatTTL)})
	if err == nil {
		s.acked.Store(&m)
		s.counts.beats.Add(1)
	}
	s.pulse.ended(m, err)
	return m, err
}
