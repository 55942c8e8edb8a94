package near

import (
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// TestEqualHashes keeps two keys with one hash: each is found as itself or not
// at all, and neither is changed by what happens to the other.
func TestEqualHashes(t *testing.T) {
	t.Parallel()
	const hash = 7
	count := &counts{}
	h := &newShards(shardBytes, count)[0]
	now := func(key string) string {
		e, absent, f := h.lookup(hash, key, view{})
		if f != foundAnswer || absent {
			return "-"
		}
		return e.Key + "=" + string(e.Value)
	}
	read := func(key, value string, rev kv.Revision) {
		c := &call{term: 1, entry: kv.Entry{Key: key, Value: []byte(value), Revision: rev}}
		h.calls[key] = c
		h.settle(hash, key, c, func() uint64 { return 1 })
	}
	wants := func(a, b string) {
		t.Helper()
		if gotA, gotB := now("a"), now("b"); gotA != a || gotB != b {
			t.Errorf("%s and %s, want %s and %s", gotA, gotB, a, b)
		}
	}
	read("a", "1", 10)
	wants("a=1", "-")
	h.apply(hash, kv.Event{Kind: kv.EventPut, Entry: kv.Entry{Key: "b", Value: []byte("x"), Revision: 11}})
	h.wrote(hash, "b", unknowable)
	wants("a=1", "-")
	read("b", "2", 5)
	wants("-", "b=2")
	read("a", "3", 12)
	wants("a=3", "-")
	if n := count.items.Load(); n != 1 || len(h.items) != 1 || h.order.bytes != h.order.newest.size {
		t.Errorf("%d items counted, %d kept, %d bytes", n, len(h.items), h.order.bytes)
	}
}
