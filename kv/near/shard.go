package near

import (
	"bytes"
	"math"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

const (
	// maxShards is enough that a few dozen processors seldom meet in one.
	maxShards = 64
	// shardBytes is the least room of a shard, so that one large value does not
	// drive everything else out.
	shardBytes = 256 << 10
	// itemCost is what an item takes beside its key and value: its node and
	// its place in the map.
	itemCost = 240
	// itemShare is the part of a shard that one item may take.
	itemShare = 4
	// unknowable is newer than every revision: what it marks is never kept.
	unknowable = kv.Revision(math.MaxUint64)
)

// item is what is known of one key.
type item struct {
	// entry is the newest entry. Its value is never changed, only replaced. If
	// absent, its revision is one as of which the key did not exist.
	entry  kv.Entry
	absent bool
	hash   uint64 // of the key
}

// shard is a part of the items, with a lock of its own.
type shard struct {
	mu sync.RWMutex
	// items are found by the hash of their keys, so that a look-up touches as
	// little memory as can be; of two keys with one hash the newer stays.
	items map[uint64]*node[item]
	calls map[string]*call // reads of the store that are under way
	order sieve[item]
	limit int64
	tally tally
	count *counts
}

// newShards splits the bytes between a power of two of shards.
func newShards(limit int64, count *counts) []shard {
	n := 1
	for n < maxShards && limit/int64(2*n) >= shardBytes {
		n *= 2
	}
	shards := make([]shard, n)
	for i := range shards {
		shards[i] = shard{items: map[uint64]*node[item]{}, calls: map[string]*call{}, limit: limit / int64(n), count: count}
	}
	return shards
}

// found is what a look into the cache has found.
type found uint8

// The answers of a lookup: nothing of use, something older than asked for, and
// the answer.
const (
	foundNothing found = iota
	foundOlder
	foundAnswer
)

// lookup returns what is kept of a key: the entry, or that it is absent.
func (h *shard) lookup(hash uint64, key string, v view) (e kv.Entry, absent bool, f found) {
	h.mu.RLock()
	n := h.find(hash, key)
	if n == nil {
		h.mu.RUnlock()
		return e, false, foundNothing
	}
	e, absent = n.value.entry, n.value.absent
	h.mu.RUnlock()
	if v.least > e.Revision && v.least > v.position {
		return kv.Entry{}, false, foundOlder
	}
	n.visit()
	h.tally.hits.Add(1)
	return e, absent || expired(e, v.now), foundAnswer
}

// find returns the item of a key, or nil.
func (h *shard) find(hash uint64, key string) *node[item] {
	if n := h.items[hash]; n != nil && n.value.entry.Key == key {
		return n
	}
	return nil
}

// expired tells whether an entry reads as absent.
func expired(e kv.Entry, now time.Time) bool { return !e.Expires.IsZero() && !now.Before(e.Expires) }

// apply takes in a change from the feed. A key that is not kept stays so.
func (h *shard) apply(hash uint64, ev kv.Event) {
	key, rev := ev.Entry.Key, ev.Entry.Revision
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.calls[key]; c != nil {
		c.newest = max(c.newest, rev)
	}
	n := h.find(hash, key)
	if n == nil || rev <= n.value.entry.Revision {
		return
	}
	it := &n.value
	switch {
	case ev.Kind != kv.EventPut:
		it.entry, it.absent = kv.Entry{Key: it.entry.Key, Revision: rev}, true
	case it.absent:
		// The key was found absent in a state that may be newer than this
		// change, which a deletion then follows.
		h.drop(n)
		return
	default:
		// A copy, since a value of a feed may hold on to more than itself.
		ev.Entry.Key = it.entry.Key
		it.entry = ev.Entry
		it.entry.Value = bytes.Clone(ev.Entry.Value)
	}
	h.order.resize(n, sizeOf(it.entry))
	h.shrink()
}

// wrote notes that this process has written a key at a revision, or that it
// cannot be known what became of it.
func (h *shard) wrote(hash uint64, key string, rev kv.Revision) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c := h.calls[key]; c != nil {
		c.newest = max(c.newest, rev)
	}
	if n := h.find(hash, key); n != nil && rev == unknowable {
		h.drop(n)
	}
}
