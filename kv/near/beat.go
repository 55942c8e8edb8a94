package near

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
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

// mark is a heartbeat that was written.
type mark struct {
	begun    time.Time // before the write
	wall     int64     // the same by the wall clock, in nanoseconds since 1970
	number   uint64    // counts the heartbeats of this member
	revision kv.Revision
}

// holds tells whether the mark is young enough to answer by, by both of this
// machine's clocks. A wall clock that was set back does not matter.
func (m *mark) holds(now time.Time) bool {
	return m != nil && now.Sub(m.begun) < Lease && now.UnixNano()-m.wall < int64(Lease)
}

// message is the value of a heartbeat.
type message struct {
	number uint64
	// position is how far the writer's feed had come, zero without a feed: it
	// answers with nothing older any more.
	position kv.Revision
	// wish is how far the writer wants every member to be, zero if it does not
	// wait.
	wish kv.Revision
}

// The form of a message: a version, then three numbers, big-endian.
const (
	messageVersion = 1
	messageLength  = 1 + 3*8
)

// encode is the inverse of decodeMessage.
func (m message) encode() []byte {
	out := append(make([]byte, 0, messageLength), messageVersion)
	for _, n := range []uint64{m.number, uint64(m.position), uint64(m.wish)} {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	return out
}

// decodeMessage reads a heartbeat. What a newer program may add is left out.
func decodeMessage(data []byte) (message, error) {
	if len(data) < messageLength || data[0] != messageVersion {
		return message{}, fmt.Errorf("near: a heartbeat of %d bytes has an unknown form; are all members of one program?", len(data))
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(data[1+8*i:]) }
	return message{number: n(0), position: kv.Revision(n(1)), wish: kv.Revision(n(2))}, nil
}

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
	m, msg := s.pulse.next(position)
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
