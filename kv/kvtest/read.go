package kvtest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// testGet reads what was written, with its revision and time.
func testGet(t *testing.T, f *fixture) {
	f.absent("a/b")
	before := time.Now()
	rev := f.put("a/b", "one")
	e := f.wants("a/b", "one")
	if e.Revision != rev || !e.Expires.IsZero() {
		t.Errorf("entry %+v, want revision %d and no expiry", e, rev)
	}
	if e.Modified.Before(before.Add(-time.Second)) || e.Modified.After(time.Now().Add(time.Second)) {
		t.Errorf("modified %v, want about %v", e.Modified, before)
	}
	f.put("a/b", "two")
	f.wants("a/b", "two")
	f.absent("a")
	f.absent("a/b/c")
	f.put("empty", "")
	f.wants("empty", "")
	f.commit(nil, kv.Delete("a/b"))
	f.absent("a/b")
}

// testAliasing sees that neither the bytes given to a store nor those that it
// returns are shared with it.
func testAliasing(_ *testing.T, f *fixture) {
	feed := f.watch("", 0)
	value := []byte("value")
	f.commit(nil, kv.Put("k", value))
	value[0] = 'X'
	f.wants("k", "value").Value[0] = 'Y'
	f.scan(kv.Range{}).Entries[0].Value[0] = 'Z'
	f.next(feed).Entry.Value[0] = 'W'
	f.wants("k", "value")
	if got := f.next(f.watch("", 0)); string(got.Entry.Value) != "value" {
		f.t.Errorf("a second feed saw %q", got.Entry.Value)
	}
}

// oddKeys are keys that a careless encoding confuses, splits or refuses.
func oddKeys() []string {
	list := []string{
		"a.b", "a/b", "a=2Eb", "a*", "a/>", "*", ">", "$KV", " ", ".", "..", "a b", "=", "=2F", "==", "A/=41",
		"\x00", "\xff\xfe", "é", "日本", "a\r\nPUB x 1", "_", "-", "~!@#%^&()+[]{}|\\;:'\",<>?`",
	}
	for b := range 256 {
		if b != '/' {
			list = append(list, "byte/"+string([]byte{byte(b)})+"/x")
		}
	}
	return list
}

// testOddKeys writes keys of all bytes and finds each again, alone and in order.
func testOddKeys(t *testing.T, f *fixture) {
	list := oddKeys()
	writes := make([]kv.Write, 0, len(list))
	for _, key := range list {
		writes = append(writes, kv.Put(key, []byte(key)))
	}
	f.commit(nil, writes...)
	for _, key := range list {
		f.wants(key, key)
	}
	slices.Sort(list)
	if got := keys(f.scan(kv.Range{})); !slices.Equal(got, list) {
		t.Errorf("Scan returned %d keys: %.200q, want %d in byte order", len(got), got, len(list))
	}
	if got := keys(f.scan(kv.Range{Prefix: "byte/*/"})); !slices.Equal(got, []string{"byte/*/x"}) {
		t.Errorf("a prefix with a star returned %q", got)
	}
}

// testScan sees what a prefix covers.
func testScan(t *testing.T, f *fixture) {
	if p := f.scan(kv.Range{}); len(p.Entries) != 0 || p.More {
		t.Fatalf("an empty store has the page %+v", p)
	}
	for _, key := range []string{"a", "a/b", "a/b/c", "a/b/d", "a/bb", "ab/c", "b"} {
		f.put(key, key)
	}
	f.commit(nil, kv.Delete("a/b/d"))
	for _, test := range []struct {
		prefix string
		want   []string
	}{
		{"", []string{"a", "a/b", "a/b/c", "a/bb", "ab/c", "b"}},
		{"a/", []string{"a/b", "a/b/c", "a/bb"}},
		{"a/b/", []string{"a/b/c"}},
		{"ab/", []string{"ab/c"}},
		{"b/", []string{}},
		{"nothing/here/", []string{}},
	} {
		if got := keys(f.scan(kv.Range{Prefix: test.prefix})); !slices.Equal(got, test.want) {
			t.Errorf("Scan(%q) = %q, want %q", test.prefix, got, test.want)
		}
	}
}

// testScanPages goes through a prefix page by page.
func testScanPages(t *testing.T, f *fixture) {
	var want []string
	for i := range 25 {
		want = append(want, fmt.Sprintf("p/%02d", i))
	}
	for _, i := range rand.Perm(len(want)) {
		f.put(want[i], "v")
	}
	f.put("p0", "outside")
	f.put("q", "outside")
	for _, limit := range []int{1, 7, 25, 100} {
		var got []string
		r := kv.Range{Prefix: "p/", Limit: limit}
		for {
			page := f.scan(r)
			got = append(got, keys(page)...)
			if more := len(got) < len(want); page.More != more {
				t.Fatalf("limit %d after %d keys: More is %v", limit, len(got), page.More)
			}
			if !page.More {
				break
			}
			r.After = got[len(got)-1]
		}
		if !slices.Equal(got, want) {
			t.Errorf("limit %d: got %q, want %q", limit, got, want)
		}
	}
	if got := keys(f.scan(kv.Range{Prefix: "p/", After: "p/20x"})); len(got) != 4 {
		t.Errorf("after a key that does not exist: %q, want the last four", got)
	}
	if got := f.scan(kv.Range{Prefix: "p/", After: "zzz"}); len(got.Entries) != 0 || got.More {
		t.Errorf("after the end: %q, more %v", keys(got), got.More)
	}
}

// testScanMany reads more keys than one answer of any system below holds, while
// others write: each page must be one snapshot, so two keys that are always
// written together never differ.
func testScanMany(t *testing.T, f *fixture) {
	const n = 3000
	name := func(i int) string { return fmt.Sprintf("m/%06d", i) }
	for from := 0; from < n; from += 500 {
		var writes []kv.Write
		for i := from; i < from+500; i++ {
			writes = append(writes, kv.Put(name(i), []byte("0")))
		}
		f.commit(nil, writes...)
	}
	stop := f.background(func(i int) error {
		j := i * 7 % (n / 2)
		v := fmt.Append(nil, i)
		_, err := f.Commit(f.ctx, nil, []kv.Write{kv.Put(name(n-1-j), v), kv.Put(name(j), v)})
		return err
	})
	for range 8 {
		page := f.scan(kv.Range{Prefix: "m/"})
		if len(page.Entries) != n {
			t.Fatalf("%d entries, want %d", len(page.Entries), n)
		}
		for j := range n / 2 {
			if a, b := page.Entries[j], page.Entries[n-1-j]; string(a.Value) != string(b.Value) {
				t.Fatalf("a scan saw half of a commit: %s is %s, %s is %s", a.Key, a.Value, b.Key, b.Value)
			}
		}
	}
	stop()
}
