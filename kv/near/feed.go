package near

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Pauses before a new feed, after the first and after many failures; a random
// half is added, so that processes do not come back at once.
const (
	firstPause = 20 * time.Millisecond
	maxPause   = 2 * time.Second
)

// keepFollowing keeps a feed until Close.
func (s *Store) keepFollowing() {
	pause := firstPause
	for s.life.Err() == nil {
		begun := time.Now()
		err := s.follow()
		if s.life.Err() != nil || errors.Is(err, errStoreClosed) {
			return
		}
		s.counts.restarts.Add(1)
		s.log.Warn("the near cache starts anew, since its feed ended", "error", err)
		if time.Since(begun) > maxPause {
			pause = firstPause
		}
		sleep(s.life, pause+rand.N(pause/2))
		pause = min(2*pause, maxPause)
	}
}

// sleep pauses until the context ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// errStoreClosed says that somebody has closed the store below. No feed and no
// read will succeed any more.
var errStoreClosed = errors.New("near: the store below was closed")

// errBlind says that heartbeats are acknowledged and do not come back.
var errBlind = errors.New("heartbeats do not come back")

// follow begins a feed at a heartbeat of its own and takes in its changes until
// it ends.
func (s *Store) follow() error {
	ctx, cancel := context.WithCancelCause(s.life)
	defer cancel(nil)
	m, err := s.beat(ctx)
	switch {
	case errors.Is(err, kv.ErrClosed):
		return errStoreClosed
	case err != nil:
		return fmt.Errorf("near: the first heartbeat: %w", err)
	}
	feed, err := s.store.Watch(ctx, "", m.revision)
	if err != nil {
		return fmt.Errorf("near: watch: %w", err)
	}
	defer func() { _ = feed.Close() }() // there is nothing to do about it
	if err := s.meet(ctx); err != nil {
		return err
	}
	s.enter(m, func() { cancel(errBlind) })
	defer s.lose()
	t := s.newTaker(feed)
	for {
		ev, err := feed.Next(ctx)
		if err != nil {
			if cause := context.Cause(ctx); cause != nil {
				err = cause
			}
			return fmt.Errorf("near: %w", err)
		}
		t.take(ev)
	}
}

// enter begins a term: the feed shows everything from the mark's revision on,
// and nothing is kept yet.
func (s *Store) enter(m mark, blind func()) {
	s.position.Store(uint64(m.revision))
	s.foreign.Store(uint64(m.revision))
	s.begin.Store(uint64(m.revision))
	s.pulse.follow(blind)
	s.term.Add(1)
	s.lease.Store(&m)
	s.news.ring()
}

// lose ends a term: nothing that is kept can be answered for any more.
func (s *Store) lose() {
	if s.following() {
		s.term.Add(1)
	}
	s.lease.Store(nil)
	s.pulse.follow(nil)
	for i := range s.shards {
		s.shards[i].clear()
	}
	s.pages.clear()
	s.news.ring()
}

// following tells whether there is a feed.
func (s *Store) following() bool { return live(s.term.Load()) }

// live tells whether there is a feed in a term.
func live(term uint64) bool { return term%2 == 1 }

// taker takes in the changes of one feed.
type taker struct {
	s       *Store
	settled func() bool
	beats   []kv.Event // heartbeats since the feed was last settled
}

// newTaker makes the taker of a feed.
func (s *Store) newTaker(feed kv.Feed) *taker {
	t := &taker{s: s, settled: func() bool { return true }}
	if f, ok := feed.(kv.Settler); ok {
		t.settled = f.Settled
	}
	return t
}

// take takes in one change. That the feed has come as far is told only when
// everything up to it is in place.
func (t *taker) take(ev kv.Event) {
	s, rev := t.s, ev.Entry.Revision
	if strings.HasPrefix(ev.Entry.Key, prefix) {
		t.beats = append(t.beats, ev)
	} else {
		s.reveal(rev) // before any reader can meet it
		h, hash := s.shard(ev.Entry.Key)
		h.apply(hash, ev)
		s.pages.changed(ev.Entry.Key, rev)
		s.foreign.Store(uint64(rev))
	}
	if !t.settled() {
		return
	}
	// Who is there must be known before a Fence can see that the feed has come
	// so far, and that must be known before this member says so or answers by it.
	var news tidings
	for _, ev := range t.beats {
		news.add(s.hear(ev))
	}
	t.beats = t.beats[:0]
	s.position.Store(uint64(rev))
	s.heed(news)
	s.news.ring()
}
