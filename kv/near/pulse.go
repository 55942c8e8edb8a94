package near

import (
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// remembered is how many of its own heartbeats a member knows the begin of.
const remembered = 64

// pulse is the state of this member's heartbeats.
type pulse struct {
	writing sync.Mutex // held while one is written
	pokes   chan struct{}
	ring    bell // rings when a write has ended

	mu     sync.Mutex
	marks  [remembered]mark // by number
	number uint64           // of the newest
	failed error            // of the last write that ended
	told   kv.Revision      // the position in the newest
	wish   kv.Revision      // the newest revision that a Fence waits for
	fences int              // how many wait
	back   uint64           // number of the newest that came back
	unseen time.Time        // begin of the oldest acknowledged after that; zero if none
	lag    time.Duration    // how long the newest that came back was away
	blind  func()           // ends the feed; nil without one
}

// poke asks for a heartbeat as soon as possible.
func (p *pulse) poke() {
	select {
	case p.pokes <- struct{}{}:
	default: // asked for already
	}
}

// next begins a heartbeat that tells a position.
func (p *pulse) next(position, shown kv.Revision) (mark, message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.number++
	p.told = position
	now := time.Now()
	m := mark{begun: now, wall: now.UnixNano(), number: p.number, shown: shown}
	p.marks[p.number%remembered] = m
	return m, message{number: p.number, position: position, wish: p.wish}
}

// ended notes how the write of a heartbeat ended.
func (p *pulse) ended(m mark, err error) {
	p.mu.Lock()
	p.failed = err
	if err == nil && m.number > p.back && p.unseen.IsZero() {
		p.unseen = m.begun
	}
	blind := p.blind
	if p.unseen.IsZero() || time.Since(p.unseen) < blindAfter {
		blind = nil
	}
	p.mu.Unlock()
	if blind != nil {
		blind()
	}
	p.ring.ring()
}

// wait returns what rings when the next write has ended, and how the last one
// ended.
func (p *pulse) wait() (<-chan struct{}, error) {
	ring := p.ring.wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return ring, p.failed
}

// follow notes the function that ends the present feed, nil without one.
func (p *pulse) follow(blind func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.blind, p.unseen = blind, time.Time{}
}

// cameBack returns the mark of an own heartbeat that the feed has brought, and
// false if it is not known any more.
func (p *pulse) cameBack(number uint64) (mark, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.marks[number%remembered]
	if m.number != number {
		return mark{}, false
	}
	p.back, p.unseen, p.lag = max(p.back, number), time.Time{}, time.Since(m.begun)
	return m, true
}

// returned tells whether the newest acknowledged heartbeat has come back.
func (p *pulse) returned() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.unseen.IsZero()
}

// wants notes that a Fence waits for a revision, until done is called.
func (p *pulse) wants(rev kv.Revision) (done func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fences++
	p.wish = max(p.wish, rev)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.fences--; p.fences == 0 {
			p.wish = 0
		}
	}
}

// owes tells whether another member's wish is beyond what this one has told,
// while somebody may still wait for it.
func (p *pulse) owes(wish kv.Revision) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return wish > p.told && time.Since(p.marks[p.number%remembered].begun) < Lease
}
