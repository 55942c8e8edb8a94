package near

import (
	"bytes"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// settle ends a call: its answer is kept unless something newer is known.
func (h *shard) settle(hash uint64, key string, c *call, term func() uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.calls[key] == c {
		delete(h.calls, key)
	} else {
		c.newest = unknowable // another call took its place and was told of changes
	}
	if c.absent {
		h.doubt(hash, key)
	}
	if !live(c.term) || c.term != term() || c.newest > c.entry.Revision {
		return
	}
	switch {
	case c.absent:
		h.keep(item{entry: kv.Entry{Key: key, Revision: c.from}, absent: true, hash: hash})
	case c.err == nil:
		h.keep(item{entry: c.entry, hash: hash})
	}
}

// doubt drops what is kept, or is being read, of a key that was found absent.
// A deletion's revision is not known, so nobody could tell otherwise that what
// there is in memory is older than what has just been shown.
func (h *shard) doubt(hash uint64, key string) {
	if other := h.calls[key]; other != nil {
		other.newest = unknowable
	}
	if n := h.find(hash, key); n != nil && !n.value.absent {
		h.drop(n)
	}
}

// keep puts in what was read, unless what is there is newer.
func (h *shard) keep(it item) {
	if old := h.items[it.hash]; old != nil {
		if old.value.entry.Key == it.entry.Key && old.value.entry.Revision > it.entry.Revision {
			return
		}
		h.drop(old)
	}
	size := sizeOf(it.entry)
	if size > h.limit/itemShare {
		return
	}
	// Copies: the caller has the value, and the key may be a part of more.
	it.entry.Key, it.entry.Value = strings.Clone(it.entry.Key), bytes.Clone(it.entry.Value)
	n := &node[item]{value: it, size: size}
	h.items[it.hash] = n
	h.order.add(n)
	h.count.items.Add(1)
	h.shrink()
}

// sizeOf is the memory of an item in bytes, about.
func sizeOf(e kv.Entry) int64 { return int64(len(e.Key)+len(e.Value)) + itemCost }

// drop takes an item out.
func (h *shard) drop(n *node[item]) {
	delete(h.items, n.value.hash)
	h.order.remove(n)
	h.count.items.Add(-1)
}

// shrink takes items out until the shard keeps to its limit.
func (h *shard) shrink() {
	for h.order.bytes > h.limit {
		n := h.order.victim()
		h.drop(n)
		h.count.evictions.Add(1)
	}
}

// clear takes everything out.
func (h *shard) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.count.items.Add(-int64(len(h.items)))
	clear(h.items)
	h.order = sieve[item]{}
}
