package kvtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// events takes n events from a feed, described, and sees that their revisions
// ascend.
func (f *fixture) events(feed kv.Feed, n int) []string {
	f.t.Helper()
	var out []string
	last := kv.Revision(0)
	for range n {
		ev := f.next(feed)
		if ev.Entry.Revision <= last {
			f.t.Fatalf("revision %d came after %d", ev.Entry.Revision, last)
		}
		if ev.Kind != kv.EventPut && len(ev.Entry.Value) != 0 {
			f.t.Fatalf("%s carries a value", describe(ev))
		}
		last = ev.Entry.Revision
		out = append(out, describe(ev))
	}
	return out
}

// testWatchOrder sees live changes of all kinds, in order, with their revisions.
func testWatchOrder(t *testing.T, f *fixture) {
	feed := f.watch("", 0)
	f.put("a", "1")
	f.put("a", "2")
	f.commit(nil, kv.Delete("a"))
	f.commit(nil, kv.Put("b", []byte("1")), kv.Delete("never"), kv.PutTTL("c", []byte("1"), time.Hour))
	f.refuse(kv.ErrConflict, is(kv.Absent("b")), kv.Put("b", nil), kv.Put("d", nil))
	rev := f.put("b", "2")
	got := []string{}
	for len(got) == 0 || got[len(got)-1] != "put b=2" {
		ev := f.next(feed)
		got = append(got, describe(ev))
		if got[len(got)-1] == "put b=2" && ev.Entry.Revision != rev {
			t.Errorf("the event has revision %d, the commit %d", ev.Entry.Revision, rev)
		}
	}
	want := []string{"put a=1", "put a=2", "delete a=", "put b=1", "delete never=", "put c=1", "put b=2"}
	// The feed may begin after the first changes, and then leaves out those
	// that were overwritten.
	for _, must := range []string{"delete a=", "delete never=", "put c=1", "put b=2"} {
		if !slices.Contains(got, must) {
			t.Errorf("the feed lacks %q: %q", must, got)
		}
	}
	rest := want
	for _, g := range got {
		i := slices.Index(rest, g)
		if i < 0 {
			t.Fatalf("the feed is %q, want %q", got, want)
		}
		rest = rest[i+1:]
	}
	f.quiet(feed)
}

// testWatchResume goes on from a revision after the feed was closed, and starts
// from that of a page.
func testWatchResume(t *testing.T, f *fixture) {
	f.put("a", "1")
	page := f.scan(kv.Range{})
	fromPage := f.watch("", page.Revision)
	f.quiet(fromPage)
	rev := f.put("b", "1")
	if got := f.events(fromPage, 1); got[0] != "put b=1" {
		t.Errorf("from the page's revision: %q", got)
	}
	if err := fromPage.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	f.commit(nil, kv.Delete("a"))
	f.put("c", "1")
	f.put("c", "2")
	resumed := f.watch("", rev)
	if got, want := f.events(resumed, 2), []string{"delete a=", "put c=2"}; !slices.Equal(got, want) {
		// Delivering c=1 too would be right.
		if got = append(got, f.events(resumed, 1)...); !slices.Equal(got, []string{"delete a=", "put c=1", "put c=2"}) {
			t.Errorf("resumed: %q, want %q", got, want)
		}
	}
	f.quiet(resumed)
	f.put("d", "1")
	if got := f.events(resumed, 1); got[0] != "put d=1" {
		t.Errorf("live after resuming: %q", got)
	}
}

// testWatchPrefix sees that a feed keeps to its prefix, and that two feeds do
// not disturb each other.
func testWatchPrefix(t *testing.T, f *fixture) {
	start := f.put("start", "")
	a, b := f.watch("a/", start), f.watch("a/b/", start)
	f.commit(nil, kv.Put("a", nil), kv.Put("a/x", nil), kv.Put("a/b/y", nil), kv.Put("ab/z", nil), kv.Put("a/bb", nil))
	f.put("a/b/last", "")
	if got, want := f.events(a, 4), []string{"put a/x=", "put a/b/y=", "put a/bb=", "put a/b/last="}; !slices.Equal(got, want) {
		t.Errorf("a/: %q, want %q", got, want)
	}
	if got, want := f.events(b, 2), []string{"put a/b/y=", "put a/b/last="}; !slices.Equal(got, want) {
		t.Errorf("a/b/: %q, want %q", got, want)
	}
	f.quiet(b)
}

// testWatchExpiry sees an expiry on a feed, with a revision after the write's,
// though nobody reads the key, and not for a key that was refreshed.
func testWatchExpiry(t *testing.T, f *fixture) {
	start := f.put("start", "")
	feed := f.watch("t/", start)
	rev := f.commit(nil, kv.PutTTL("t/kept", []byte("1"), time.Second), kv.PutTTL("t/gone", []byte("1"), time.Second))
	f.commit(nil, kv.PutTTL("t/kept", []byte("2"), time.Hour))
	ev := f.next(feed)
	for ev.Kind == kv.EventPut {
		ev = f.next(feed)
	}
	if ev.Kind != kv.EventExpire || ev.Entry.Key != "t/gone" || ev.Entry.Revision <= rev {
		t.Errorf("the puts were followed by %s at %d, want the expiry of t/gone after %d", describe(ev), ev.Entry.Revision, rev)
	}
	f.quiet(feed)
	late := f.watch("t/", rev)
	if got, want := f.events(late, 2), []string{"put t/kept=2", "expire t/gone="}; !slices.Equal(got, want) {
		t.Errorf("a feed from before the expiry: %q, want %q", got, want)
	}
}

// testWatchMany sees that a feed from the beginning delivers every key of a
// large store once, and goes on live without a gap.
func testWatchMany(t *testing.T, f *fixture) {
	const n = 2500
	for from := 0; from < n; from += 500 {
		var writes []kv.Write
		for i := from; i < from+500; i++ {
			writes = append(writes, kv.Put(fmt.Sprint("m/", i), fmt.Append(nil, i)))
		}
		f.commit(nil, writes...)
	}
	feed := f.watch("m/", 0)
	seen := map[string]bool{}
	for i := range n {
		if i == n/2 {
			f.put("m/live", "1")
		}
		seen[f.next(feed).Entry.Key] = true
	}
	seen[f.next(feed).Entry.Key] = true
	if len(seen) != n+1 || !seen["m/live"] {
		t.Errorf("%d different keys, want %d with the live one", len(seen), n+1)
	}
	f.quiet(feed)
}

// testWatchUnderLoad compares what feeds delivered while writers were at work
// with what the store holds in the end; one feed starts in the middle.
func testWatchUnderLoad(t *testing.T, f *fixture) {
	const writers, each = 4, 120
	early := f.watch("", 0)
	var middle kv.Feed
	started := make(chan struct{})
	go func() {
		defer close(started)
		time.Sleep(5 * time.Millisecond)
		feed, err := f.Watch(f.ctx, "", 0)
		if err != nil {
			t.Errorf("Watch: %v", err)
		}
		middle = feed
	}()
	f.parallel(writers, func(w int) error {
		for i := range each {
			key := fmt.Sprintf("k/%d/%d", w, i%10)
			writes := []kv.Write{kv.Put(key, fmt.Append(nil, i))}
			if i%7 == 0 {
				writes = []kv.Write{kv.Delete(key), kv.Put(key+"x", fmt.Append(nil, i))}
			}
			if _, err := f.Commit(f.ctx, nil, writes); err != nil {
				return err
			}
		}
		return nil
	})
	<-started
	end := f.put("end", "")
	want := map[string]string{}
	for _, e := range f.scan(kv.Range{}).Entries {
		want[e.Key] = string(e.Value)
	}
	for name, feed := range map[string]kv.Feed{"early": early, "middle": middle} {
		got := map[string]string{}
		for last := kv.Revision(0); last < end; {
			ev := f.next(feed)
			if ev.Entry.Revision <= last {
				t.Fatalf("%s: revision %d after %d", name, ev.Entry.Revision, last)
			}
			last = ev.Entry.Revision
			got[ev.Entry.Key] = string(ev.Entry.Value)
			if ev.Kind != kv.EventPut {
				delete(got, ev.Entry.Key)
			}
		}
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s: %s is %q by the feed, %q in the store", name, key, got[key], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d keys by the feed, %d in the store", name, len(got), len(want))
		}
	}
}

// testWatchEnds sees what Next returns when the feed or the store is closed.
func testWatchEnds(t *testing.T, f *fixture) {
	closing, waiting, over := f.watch("", 0), f.watch("", 0), f.watch("", 0)
	f.endsWith("the feed", waiting, waiting.Close)
	if err := closing.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if err := closing.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	if _, err := closing.Next(f.ctx); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Next on a closed feed: %v, want ErrClosed", err)
	}
	f.endsWith("the store", over, f.Store.Close)
}

// endsWith sees that a waiting Next returns ErrClosed when end is called.
func (f *fixture) endsWith(what string, feed kv.Feed, end func() error) {
	f.t.Helper()
	got := make(chan error, 1)
	go func() {
		_, err := feed.Next(f.ctx)
		got <- err
	}()
	time.Sleep(20 * time.Millisecond)
	if err := end(); err != nil {
		f.t.Errorf("close %s: %v", what, err)
	}
	if err := <-got; !errors.Is(err, kv.ErrClosed) {
		f.t.Errorf("Next when %s was closed: %v, want ErrClosed", what, err)
	}
}
