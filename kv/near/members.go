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

// tidings are what heartbeats have told.
type tidings struct {
	own  mark        // this member's newest that came back; none if its number is zero
	wish kv.Revision // how far others want this member to be
}

// add adds what another heartbeat has told.
func (t *tidings) add(o tidings) {
	t.wish = max(t.wish, o.wish)
	if o.own.number > t.own.number {
		t.own = o.own
	}
}

// hear takes in one of this package's own keys.
func (s *Store) hear(ev kv.Event) tidings {
	key := ev.Entry.Key
	switch {
	case !strings.HasPrefix(key, beatPrefix):
		return tidings{}
	case ev.Kind == kv.EventDelete:
		s.members.left(key)
		return tidings{}
	case ev.Kind != kv.EventPut:
		return tidings{}
	}
	msg, err := decodeMessage(ev.Entry.Value)
	if key != s.beatKey {
		if fresh := s.members.heard(key, msg.position); fresh && err != nil {
			// It may answer from memory, so it is waited for.
			s.log.Warn("a member of the near cache cannot be understood", "error", err)
		}
		return tidings{wish: msg.wish}
	}
	m, ok := s.pulse.cameBack(msg.number)
	if !ok {
		return tidings{}
	}
	m.revision = ev.Entry.Revision
	return tidings{own: m}
}

// heed does what heartbeats ask for.
func (s *Store) heed(t tidings) {
	if old := s.lease.Load(); old != nil && t.own.number > old.number {
		s.lease.Store(&t.own)
	}
	if t.own.shown > t.own.revision {
		// The store has gone back, as when it was made anew.
		s.shown.CompareAndSwap(uint64(t.own.shown), uint64(t.own.revision))
	}
	if s.pulse.owes(t.wish) {
		s.pulse.poke()
	}
}

// heard notes a member's heartbeat, and tells whether it is the first.
func (m *members) heard(key string, position kv.Revision) (fresh bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	_, known := m.seen[key]
	m.seen[strings.Clone(key)] = member{now, position}
	for k, o := range m.seen {
		if now.Sub(o.heard) > beatTTL {
			delete(m.seen, k)
		}
	}
	return !known
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
