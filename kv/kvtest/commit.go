package kvtest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// testRevisions sees that revisions only grow, and that a commit returns that
// of its last write.
func testRevisions(t *testing.T, f *fixture) {
	last := kv.Revision(0)
	for i := range 5 {
		rev := f.commit(nil, kv.Put("a", fmt.Append(nil, i)), kv.Delete("gone"), kv.Put("b", fmt.Append(nil, i)))
		a, b := f.wants("a", fmt.Sprint(i)), f.wants("b", fmt.Sprint(i))
		if a.Revision <= last || b.Revision <= a.Revision || b.Revision != rev {
			t.Errorf("round %d: a at %d, b at %d, Commit returned %d, before it %d", i, a.Revision, b.Revision, rev, last)
		}
		last = rev
	}
	if rev := f.commit(nil); rev != 0 {
		t.Errorf("an empty commit returned revision %d", rev)
	}
	if rev := f.commit(nil, kv.Delete("b")); rev <= last {
		t.Errorf("a deletion has revision %d, not after %d", rev, last)
	}
	f.commit(nil, kv.Delete("never there"))
}

// testChecks goes through the checks on single keys, in commits of one write
// and of several.
func testChecks(_ *testing.T, f *fixture) {
	more := kv.Put("more", nil)
	f.commit(is(kv.Absent("a")), kv.Put("a", []byte("1")))
	f.refuse(kv.ErrConflict, is(kv.Absent("a")), kv.Put("a", []byte("x")))
	f.refuse(kv.ErrConflict, is(kv.Absent("a")), kv.Put("a", []byte("x")), more)
	old := f.wants("a", "1").Revision
	f.commit(is(kv.Unchanged("a", old)), kv.Put("a", []byte("2")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", old)), kv.Put("a", []byte("x")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", old)), kv.Delete("a"))
	rev := f.wants("a", "2").Revision
	f.commit(is(kv.Unchanged("a", rev)), kv.Put("a", []byte("3")), more)
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", rev)), kv.Put("a", []byte("x")), more)

	// A check on another key than the one that is written.
	rev = f.wants("a", "3").Revision
	f.commit(is(kv.Unchanged("a", rev)), kv.Put("b", []byte("1")))
	f.commit(is(kv.Unchanged("c", 0)), kv.Put("b", []byte("2")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", old)), kv.Put("b", []byte("x")))
	f.refuse(kv.ErrConflict, is(kv.Absent("a")), kv.Put("b", []byte("x")), more)
	f.refuse(kv.ErrConflict, is(kv.Unchanged("c", rev)), kv.Put("b", []byte("x")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("b", rev)), kv.Put("b", []byte("x"))) // the revision of another key
	f.wants("b", "2")

	// The same check twice, and two that cannot both hold.
	f.commit([]kv.Check{kv.Unchanged("a", rev), kv.Unchanged("a", rev)}, kv.Put("b", []byte("3")))
	f.refuse(kv.ErrConflict, []kv.Check{kv.Unchanged("a", rev), kv.Absent("a")}, kv.Put("b", []byte("x")))
	f.commit(is(kv.Unchanged("a", rev)), kv.Delete("a"))
	f.absent("a")
	f.wants("b", "3")
}

// testChecksOnly makes commits that write nothing.
func testChecksOnly(t *testing.T, f *fixture) {
	a, b := f.put("a", "1"), f.put("b", "1")
	page := f.scan(kv.Range{})
	if rev := f.commit([]kv.Check{kv.Unchanged("a", a), kv.Unchanged("b", b), kv.Absent("c")}); rev != 0 {
		t.Errorf("a commit without writes returned revision %d", rev)
	}
	f.commit(is(kv.Absent("c")))
	f.refuse(kv.ErrConflict, is(kv.Absent("a")))
	f.refuse(kv.ErrConflict, []kv.Check{kv.Unchanged("a", a), kv.Absent("b")})
	if got := len(f.scan(kv.Range{}).Entries); got != 2 {
		t.Errorf("%d keys after commits that wrote nothing, want 2", got)
	}
	f.commit(is(kv.PrefixUnchanged("", page.Revision)), kv.Put("d", nil))
}

// testTombstones sees that a deleted key is absent for every check, at
// whatever revision.
func testTombstones(_ *testing.T, f *fixture) {
	old := f.put("a", "1")
	gone := f.commit(nil, kv.Delete("a"))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", old)), kv.Put("a", []byte("x")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", gone)), kv.Put("a", []byte("x")))
	f.refuse(kv.ErrConflict, is(kv.Unchanged("a", gone)), kv.Put("b", []byte("x")), kv.Put("c", nil))
	f.commit([]kv.Check{kv.Absent("a"), kv.Absent("b")}, kv.Put("b", []byte("1")))
	f.commit(is(kv.Absent("a")), kv.Put("a", []byte("2")))
	f.refuse(kv.ErrConflict, is(kv.Absent("a")), kv.Put("a", []byte("x")))
	f.wants("a", "2")
	f.commit(nil, kv.Delete("a"))
	f.commit(nil, kv.Delete("a"))
	f.commit(is(kv.Absent("a")), kv.Put("a", []byte("3")), kv.Delete("b"))
	f.wants("a", "3")
	f.absent("b")
}

// testAllOrNothing sees that a failed check, wherever it stands, leaves no
// write of its commit, and that readers never see half of a commit.
func testAllOrNothing(t *testing.T, f *fixture) {
	rev := f.put("here", "1")
	good := []kv.Check{kv.Unchanged("here", rev), kv.Absent("w/1"), kv.Absent("other")}
	bad := []kv.Check{kv.Absent("here"), kv.Unchanged("w/2", rev), kv.Unchanged("here", rev+1000)}
	for i := range bad {
		for at := range len(good) + 1 {
			checks := append(append(append([]kv.Check{}, good[:at]...), bad[i]), good[at:]...)
			f.refuse(kv.ErrConflict, checks, kv.Put("w/1", nil), kv.Put("w/2", nil), kv.Delete("here"))
		}
	}
	if page := f.scan(kv.Range{Prefix: "w/"}); len(page.Entries) != 0 {
		t.Errorf("failed commits left %q", keys(page))
	}
	f.wants("here", "1")

	write := func(i int) []kv.Write {
		v := fmt.Append(nil, i)
		return []kv.Write{kv.Put("x/1", v), kv.Put("x/2", v), kv.Put("x/3", v)}
	}
	f.commit(nil, write(0)...)
	stop := f.background(func(i int) error {
		_, err := f.Commit(f.ctx, nil, write(i))
		return err
	})
	for end := time.Now().Add(300 * time.Millisecond); time.Now().Before(end); {
		e := f.scan(kv.Range{Prefix: "x/"}).Entries
		if len(e) != 3 || string(e[0].Value) != string(e[1].Value) || string(e[1].Value) != string(e[2].Value) {
			t.Fatalf("a scan saw half of a commit: %+v", e)
		}
	}
	if stop() == 0 {
		t.Error("nothing was written meanwhile")
	}
}

// background runs step over and over until the returned function is called,
// which tells how often it ran. A test that ends before stops it too.
func (f *fixture) background(step func(i int) error) (stop func() int) {
	end, done := make(chan struct{}), make(chan int, 1)
	go func() {
		for i := 1; ; i++ {
			if err := step(i); err != nil {
				f.t.Errorf("in the background: %v", err)
				done <- i - 1
				return
			}
			select {
			case <-end:
				done <- i
				return
			default:
			}
		}
	}()
	stop = sync.OnceValue(func() int {
		close(end)
		return <-done
	})
	f.t.Cleanup(func() { stop() })
	return stop
}

// testManyChecks mixes more checks than writes, and writes than checks.
func testManyChecks(_ *testing.T, f *fixture) {
	var checks []kv.Check
	for i := range 20 {
		key := fmt.Sprint("c/", i)
		checks = append(checks, kv.Unchanged(key, f.put(key, "v")))
	}
	f.commit(checks, kv.Put("w/1", nil))
	f.commit(checks[:5], kv.Put("c/0", nil), kv.Put("w/2", nil), kv.Delete("c/1"), kv.Put("w/3", nil))
	f.refuse(kv.ErrConflict, checks[:1], kv.Put("w/4", nil))
	f.refuse(kv.ErrConflict, checks, kv.Put("w/4", nil))
	f.commit(checks[2:], kv.Put("w/4", nil))
}

// testPrefixChecks sees what makes a check on a prefix fail, and what not.
func testPrefixChecks(t *testing.T, f *fixture) {
	empty := f.scan(kv.Range{Prefix: "p/"})
	f.commit(is(kv.PrefixUnchanged("p/", empty.Revision)), kv.Put("p/a", []byte("1")))
	f.refuse(kv.ErrConflict, is(kv.PrefixUnchanged("p/", empty.Revision)), kv.Put("out", nil))
	changes := map[string]func(){
		"a new key":      func() { f.put("p/new", "1") },
		"a key deeper":   func() { f.put("p/x/y/z", "1") },
		"a changed key":  func() { f.put("p/a", "2") },
		"a deletion":     func() { f.commit(nil, kv.Delete("p/a")) },
		"one of a batch": func() { f.commit(nil, kv.Put("o", nil), kv.Put("p/b", nil), kv.Put("q", nil)) },
		"put and delete": func() { f.put("p/c", "1"); f.commit(nil, kv.Delete("p/c")) },
	}
	for name, change := range changes {
		before := f.scan(kv.Range{Prefix: "p/"}).Revision
		change()
		if _, err := f.Commit(f.ctx, is(kv.PrefixUnchanged("p/", before)), []kv.Write{kv.Put("out", nil)}); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("after %s: %v, want ErrConflict", name, err)
		}
		if after := f.scan(kv.Range{Prefix: "p/"}).Revision; after <= before {
			t.Errorf("after %s the page has revision %d, before it %d", name, after, before)
		}
	}
	page := f.scan(kv.Range{Prefix: "p/"})
	f.put("pp/a", "outside")
	f.put("p", "outside")
	f.commit(is(kv.PrefixUnchanged("p/", page.Revision)), kv.Put("out", []byte("in")))
	limited := f.scan(kv.Range{Prefix: "p/", Limit: 1})
	f.commit([]kv.Check{kv.PrefixUnchanged("p/", limited.Revision), kv.PrefixUnchanged("x/", f.scan(kv.Range{Prefix: "x/"}).Revision)},
		kv.Put("p/a", []byte("3")), kv.Put("out", []byte("in")))
	f.wants("p/a", "3")
	all := f.scan(kv.Range{})
	f.commit(is(kv.PrefixUnchanged("", all.Revision)), kv.Put("p/z", nil))
	f.refuse(kv.ErrConflict, is(kv.PrefixUnchanged("", all.Revision)), kv.Put("p/z", nil))
}

// testPrefixPhantom lets several writers add the next key of a list, each only
// if the list is as it was read: no number may be given out twice.
func testPrefixPhantom(t *testing.T, f *fixture) {
	const writers, each = 4, 12
	f.parallel(writers, func(w int) error {
		for range each {
			err := f.retry(func() error {
				page, err := f.Scan(f.ctx, kv.Range{Prefix: "list/"})
				if err != nil {
					return err
				}
				n := len(page.Entries)
				_, err = f.Commit(f.ctx, is(kv.PrefixUnchanged("list/", page.Revision)),
					[]kv.Write{kv.Put(fmt.Sprintf("list/%03d-%d", n, w), nil), kv.Put(fmt.Sprint("log/", w), nil)})
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	entries := f.scan(kv.Range{Prefix: "list/"}).Entries
	if len(entries) != writers*each {
		t.Errorf("%d keys, want %d", len(entries), writers*each)
	}
	for i, e := range entries {
		if want := fmt.Sprintf("list/%03d", i); e.Key[:len(want)] != want {
			t.Errorf("key %d is %s: two writers counted the same keys", i, e.Key)
		}
	}
}
