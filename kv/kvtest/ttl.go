package kvtest

import (
	"math"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// ttlSlack is how much earlier or later than asked for an expiry may be stored:
// stores keep whole milliseconds.
const ttlSlack = 50 * time.Millisecond

// shortTTL is between whole seconds, where a store below that counts in
// seconds is wrong by the most.
const shortTTL = 1400 * time.Millisecond

// await sleeps until shortly after an entry has expired.
func await(e kv.Entry) { time.Sleep(time.Until(e.Expires) + 10*time.Millisecond) }

// testExpiry sees that an expired key is absent for reads, scans and checks.
func testExpiry(t *testing.T, f *fixture) {
	f.put("p/stays", "1")
	rev := f.commit(nil, kv.PutTTL("p/goes", []byte("1"), shortTTL))
	e := f.wants("p/goes", "1")
	page := f.scan(kv.Range{Prefix: "p/"})
	if len(page.Entries) != 2 || !page.Entries[0].Expires.Equal(e.Expires) {
		t.Fatalf("the page holds %+v, want both keys and the expiry %v", page.Entries, e.Expires)
	}
	await(e)
	f.absent("p/goes")
	if got := keys(f.scan(kv.Range{Prefix: "p/"})); len(got) != 1 || got[0] != "p/stays" {
		t.Errorf("Scan returned %q after the expiry", got)
	}
	f.refuse(kv.ErrConflict, is(kv.Unchanged("p/goes", rev)), kv.Put("p/goes", []byte("late")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("p/goes", rev)), kv.Put("out", nil), kv.Put("out2", nil))
	f.refuse(kv.ErrConflict, is(kv.PrefixUnchanged("p/", page.Revision)), kv.Put("out", nil))
	f.commit([]kv.Check{kv.Absent("p/goes"), kv.Absent("out")}, kv.Put("out", []byte("1")))
	f.commit(is(kv.Absent("p/goes")), kv.PutTTL("p/goes", []byte("2"), time.Hour))
	f.wants("p/goes", "2")
	// What the store below does about the old value must not touch the new one.
	time.Sleep(2500 * time.Millisecond)
	f.wants("p/goes", "2")
}

// testExpiryIsExact sees that a key is readable until its time and not after.
func testExpiryIsExact(t *testing.T, f *fixture) {
	before := time.Now()
	f.commit(nil, kv.PutTTL("k", []byte("v"), shortTTL))
	after := time.Now()
	e := f.wants("k", "v")
	if e.Expires.Before(before.Add(shortTTL-ttlSlack)) || e.Expires.After(after.Add(shortTTL+ttlSlack)) {
		t.Errorf("expires %v, want %v after the write", e.Expires, shortTTL)
	}
	for {
		start := time.Now()
		_, err := f.Get(f.ctx, "k")
		end := time.Now()
		if err != nil && end.Before(e.Expires) {
			t.Fatalf("gone %v before its time: %v", e.Expires.Sub(end), err)
		}
		if err == nil && start.After(e.Expires) {
			t.Fatalf("still there %v after its time", start.Sub(e.Expires))
		}
		if err != nil {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// testExpiryInBatch sees that each write of a commit has its own time.
func testExpiryInBatch(_ *testing.T, f *fixture) {
	f.commit(is(kv.Absent("x")), kv.PutTTL("a", []byte("1"), time.Second), kv.Put("b", []byte("1")), kv.PutTTL("c", []byte("1"), time.Hour))
	await(f.wants("a", "1"))
	f.absent("a")
	f.wants("b", "1")
	f.wants("c", "1")
}

// testRefresh sees that a new time to live replaces the old, and that a write
// without one makes the key permanent.
func testRefresh(_ *testing.T, f *fixture) {
	const ttl = 2900 * time.Millisecond // a busy machine has to be quicker than that
	writes := []kv.Write{kv.PutTTL("refreshed", []byte("1"), ttl), kv.PutTTL("permanent", []byte("1"), ttl), kv.PutTTL("shorter", []byte("1"), time.Hour)}
	f.commit(nil, writes...)
	first := f.wants("refreshed", "1")
	f.commit(is(kv.Unchanged("refreshed", first.Revision)), kv.PutTTL("refreshed", []byte("2"), 6*time.Second))
	f.commit(is(kv.Unchanged("permanent", f.wants("permanent", "1").Revision)), kv.Put("permanent", []byte("2")))
	f.commit(nil, kv.PutTTL("shorter", []byte("2"), time.Second))
	// The old times, and what a store below may round them to, go by.
	time.Sleep(time.Until(first.Expires) + 1700*time.Millisecond)
	f.wants("permanent", "2")
	f.absent("shorter")
	e := f.wants("refreshed", "2")
	await(e)
	f.absent("refreshed")
}

// testLongTTL sees that no time is too long.
func testLongTTL(_ *testing.T, f *fixture) {
	f.commit(nil, kv.PutTTL("a", []byte("1"), 365*24*time.Hour), kv.PutTTL("b", []byte("1"), math.MaxInt64))
	f.commit(nil, kv.PutTTL("c", []byte("1"), math.MaxInt64))
	time.Sleep(100 * time.Millisecond)
	for _, key := range []string{"a", "b", "c"} {
		f.wants(key, "1")
	}
}
