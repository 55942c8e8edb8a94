package near

import (
	"sync/atomic"
	"time"
)

// Stats are counts since the start, and what is at the moment.
type Stats struct {
	// Hits were answered from memory. Misses asked the store while the lease
	// held, PassThroughs while it was out; Joins of both waited for another
	// caller's question. Refusals got kv.ErrUnavailable, since the store could
	// not be confirmed.
	Hits, Misses, PassThroughs, Joins, Refusals uint64
	// Evictions left for want of room. Restarts are feeds that ended. Beats are
	// heartbeats written, and Fences calls of Fence.
	Evictions, Restarts, Beats, Fences uint64
	// Items are the keys and Bytes the memory of all that is kept.
	Items, Bytes int64
	// Members are the others that may answer from memory.
	Members int
	// Leased says that reads are answered from memory.
	Leased bool
	// Lag is how long the newest heartbeat that came back took, from the begin
	// of its write to its return by the feed.
	Lag time.Duration
}

// tally counts reads. Each shard has one, so that processors do not share it.
type tally struct {
	hits, misses, passes, joins atomic.Uint64
}

// counts are the counts that all shards share, and gauges.
type counts struct {
	refusals, evictions, restarts, beats, fences atomic.Uint64
	items                                        atomic.Int64
}

// add adds a tally to the stats.
func (t *tally) add(s *Stats) {
	s.Hits += t.hits.Load()
	s.Misses += t.misses.Load()
	s.PassThroughs += t.passes.Load()
	s.Joins += t.joins.Load()
}

// Stats returns the counts. They are not all of one moment.
func (s *Store) Stats() Stats {
	var out Stats
	for i := range s.shards {
		h := &s.shards[i]
		h.tally.add(&out)
		h.mu.RLock()
		out.Bytes += h.order.bytes
		h.mu.RUnlock()
	}
	s.pages.tally.add(&out)
	s.pages.mu.RLock()
	out.Bytes += s.pages.order.bytes
	s.pages.mu.RUnlock()
	c := &s.counts
	out.Refusals, out.Evictions, out.Restarts = c.refusals.Load(), c.evictions.Load(), c.restarts.Load()
	out.Beats, out.Fences, out.Items = c.beats.Load(), c.fences.Load(), c.items.Load()
	now := time.Now()
	out.Members, out.Leased = s.members.live(now), s.lease.Load().holds(now)
	s.pulse.mu.Lock()
	out.Lag = s.pulse.lag
	s.pulse.mu.Unlock()
	return out
}

// reads counts all reads, to tell whether anybody reads.
func (s *Store) reads() uint64 {
	var t Stats
	for i := range s.shards {
		s.shards[i].tally.add(&t)
	}
	s.pages.tally.add(&t)
	return t.Hits + t.Misses + t.PassThroughs
}
