package near_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// inBubble runs a test with one near cache over a store that the test can
// disturb, in a time of its own.
func inBubble(t *testing.T, test func(t *testing.T, s *near.Store, b *below)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBelow(memory.New())
		s := near.New(b, quiet())
		synctest.Wait() // until its feed has begun
		test(t, s, b)
		b.heal()
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestHits sees that a second read does not ask the store, whether the key
// exists or not, and that changes by others replace what is kept.
func TestHits(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		put(t, b.Store, "k", "1")
		for range 3 {
			wants(t, s, "k", "1")
			wants(t, s, "none", "")
		}
		put(t, b.Store, "k", "2")
		put(t, b.Store, "none", "now")
		synctest.Wait()
		wants(t, s, "k", "2")
		wants(t, s, "none", "now")
		if _, err := b.Store.Commit(t.Context(), nil, []kv.Write{kv.Delete("k")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		wants(t, s, "k", "")
		if got := [2]int{b.asked("k"), b.asked("none")}; got != [2]int{1, 2} {
			t.Errorf("the store was asked %d times, want once, and again for the key that came", got)
		}
		if st := s.Stats(); st.Misses != 3 || st.Items != 2 || !st.Leased || st.Bytes == 0 {
			t.Errorf("stats: %+v", st)
		}
	})
}

// TestExpiryWhenTheStoreSays sees that an entry reads as absent from its time
// on, without the feed.
func TestExpiryWhenTheStoreSays(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		if _, err := s.Commit(t.Context(), nil, []kv.Write{kv.PutTTL("k", []byte("v"), 1500*time.Millisecond)}); err != nil {
			t.Fatal(err)
		}
		wants(t, s, "k", "v")
		b.set(func(b *below) { b.delay = func() time.Duration { return time.Second } })
		time.Sleep(1500*time.Millisecond - time.Nanosecond)
		wants(t, s, "k", "v")
		time.Sleep(time.Nanosecond)
		wants(t, s, "k", "")
		if b.asked("k") != 1 {
			t.Errorf("the store was asked %d times, want once", b.asked("k"))
		}
	})
}

// scanned sees that a prefix holds one key with a value, or "" for none.
func scanned(tb testing.TB, s kv.Store, prefix, value string) {
	tb.Helper()
	p, err := s.Scan(context.Background(), kv.Range{Prefix: prefix})
	got := ""
	for _, e := range p.Entries {
		got += string(e.Value)
	}
	if err != nil || got != value {
		tb.Errorf("Scan(%q): %q, %v; want %q", prefix, got, err, value)
	}
}

// TestKeep sees that what shall not be kept is read from the store each time,
// and is not refused when the store takes no write.
func TestKeep(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBelow(memory.New())
		o := quiet()
		o.Keep = func(path string) bool { return strings.HasPrefix(path, "kept/") }
		s := near.New(b, o)
		synctest.Wait()
		put(t, s, "kept/k", "1")
		put(t, s, "p/k", "1")
		for range 3 {
			wants(t, s, "kept/k", "1")
			scanned(t, s, "kept/", "1")
			wants(t, s, "p/k", "1")
			scanned(t, s, "p/", "1")
		}
		if b.asked("kept/k") != 1 || b.asked("p/k") != 3 || b.scanned() != 5 {
			t.Errorf("%d and %d gets, %d scans (one of the members); want 1, 3, 5", b.asked("kept/k"), b.asked("p/k"), b.scanned())
		}
		b.cutOff(t)
		time.Sleep(near.Lease)
		wants(t, s, "p/k", "1")
		scanned(t, s, "p/", "1")
		scanned(t, s, "", "11")
		if _, err := s.Get(t.Context(), "kept/k"); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("what is kept: %v, want ErrUnavailable", err)
		}
		b.heal()
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestReserved sees that callers cannot touch the heartbeats, nor see them.
func TestReserved(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		ctx := t.Context()
		_, get := s.Get(ctx, "near/beat/x")
		_, scan := s.Scan(ctx, kv.Range{Prefix: "near/"})
		_, check := s.Commit(ctx, []kv.Check{kv.Absent("near/x")}, nil)
		_, write := s.Commit(ctx, nil, []kv.Write{kv.Put("near/x", nil)})
		_, watch := s.Watch(ctx, "near/beat/", 0)
		for what, err := range map[string]error{"Get": get, "Scan": scan, "check": check, "write": write, "Watch": watch} {
			if !errors.Is(err, kv.ErrInvalid) {
				t.Errorf("%s: %v, want ErrInvalid", what, err)
			}
		}
		p, err := s.Scan(ctx, kv.Range{})
		if err != nil || len(p.Entries) != 0 {
			t.Fatalf("Scan of everything: %+v, %v", p, err)
		}
		if all, err := b.Store.Scan(ctx, kv.Range{Prefix: "near/beat/"}); err != nil || len(all.Entries) != 1 {
			t.Fatalf("%d heartbeats in the store, %v; want one", len(all.Entries), err)
		}
		// Heartbeats are no change of the whole store.
		for range 5 {
			wants(t, s, "k", "")
			time.Sleep(time.Second)
		}
		if _, err := s.Commit(ctx, []kv.Check{kv.PrefixUnchanged("", p.Revision)}, []kv.Write{kv.Put("k", nil)}); err != nil {
			t.Errorf("Commit on an unchanged store: %v", err)
		}
		if _, err := s.Commit(ctx, []kv.Check{kv.PrefixUnchanged("", p.Revision)}, []kv.Write{kv.Put("k", nil)}); !errors.Is(err, kv.ErrConflict) {
			t.Errorf("Commit on a changed store: %v", err)
		}
	})
}
