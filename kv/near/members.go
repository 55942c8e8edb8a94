package near

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// margin is added to another member's Lease, since no two clocks run alike.
const margin = Lease / 40

// member is what is known of another member.
type member struct {
	heard    time.Time   // when its newest heartbeat was seen here
	position kv.Revision // what that told
}

// members are the others that were heard of.
type members struct {
	mu   sync.Mutex
	seen map[string]member // by the key of its heartbeat
}

// meet reads who else is there when a feed begins. Their heartbeats were begun
// before now, so now is what their leases are counted from.
func (s *Store) meet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	page, err := s.store.Scan(ctx, kv.Range{Prefix: beatPrefix})
	if err != nil {
		return unavailable("near: list the members", err)
	}
	for _, e := range page.Entries {
		s.hear(kv.Event{Kind: kv.EventPut, Entry: e})
	}
	return nil
}

// hear takes in one of this package's own keys.
func (s *Store) hear(ev kv.Event) {
	key := ev.Entry.Key
	if !strings.HasPrefix(key, beatPrefix) {
		return
	}
	msg, err := decodeMessage(ev.Entry.Value)
	switch {
	case ev.Kind != kv.EventPut:
		if key != s.beatKey && ev.Kind == kv.EventDelete {
			s.members.left(key)
		}
		return
	case err != nil:
		// It may answer from memory, so it is waited for.
		s.log.Warn("a member of the near cache cannot be understood", "error", err)
	}
	if key != s.beatKey {
		s.members.heard(key, msg.position)
		if s.pulse.owes(msg.wish) {
			s.pulse.poke()
		}
		return
	}
	m, ok := s.pulse.cameBack(msg.number)
	if ok && m.shown > ev.Entry.Revision {
		// The store has gone back, as when it was made anew.
		s.shown.CompareAndSwap(uint64(m.shown), uint64(ev.Entry.Revision))
	}
	if old := s.lease.Load(); ok && old != nil && m.number > old.number {
		s.lease.Store(&m)
	}
}

// heard notes a member's heartbeat.
func (m *members) heard(key string, position kv.Revision) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	m.seen[strings.Clone(key)] = member{now, position}
	for k, o := range m.seen {
		if now.Sub(o.heard) > beatTTL {
			delete(m.seen, k)
		}
	}
}

// left notes that a member has taken leave: it answers nothing any more.
func (m *members) left(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.seen, key)
}

// live counts the members that may answer from memory.
func (m *members) live(now time.Time) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.seen {
		if now.Sub(o.heard) < Lease+margin {
			n++
		}
	}
	return n
}

// behind returns until when at most members may answer with something older
// than a revision; the zero time if none does.
func (m *members) behind(rev kv.Revision, now time.Time) (until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, o := range m.seen {
		if end := o.heard.Add(Lease + margin); o.position < rev && now.Before(end) && end.After(until) {
			until = end
		}
	}
	return until
}
