package near_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// TestBounds reads far more than there is room for: the memory stays bounded,
// and what is asked for again and again stays.
func TestBounds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const limit = 1 << 20
		b := newBelow(memory.New())
		o := quiet()
		o.MaxBytes = limit
		s := near.New(b, o)
		synctest.Wait()
		put(t, s, "hot", "small")
		put(t, s, "huge", strings.Repeat("h", limit/4))
		for i := range 3000 {
			key := fmt.Sprintf("p%d/k", i)
			put(t, b.Store, key, strings.Repeat("v", 1000))
			synctest.Wait()
			for _, k := range []string{key, "absent/" + key, "hot", "huge"} {
				if _, err := s.Get(t.Context(), k); err != nil && read(t.Context(), s, k) != "" {
					t.Fatalf("%s: %v", k, err)
				}
			}
			scanned(t, s, fmt.Sprintf("p%d/", i), strings.Repeat("v", 1000))
			if st := s.Stats(); st.Bytes > limit {
				t.Fatalf("%d bytes after %d keys, the limit is %d", st.Bytes, i, limit)
			}
		}
		if st := s.Stats(); st.Evictions < 3000 || st.Items < 100 || st.Bytes < limit/2 {
			t.Errorf("stats: %+v", st)
		}
		if n := b.asked("hot"); n != 1 {
			t.Errorf("a key that was read all the time was asked for %d times", n)
		}
		if n := b.asked("huge"); n < 3000 {
			t.Errorf("a value that is too large was kept: %d questions", n)
		}
		// A value that grows where it is kept must not break the bound either.
		put(t, b.Store, "hot", strings.Repeat("h", kv.MaxValue))
		synctest.Wait()
		wants(t, s, "hot", strings.Repeat("h", kv.MaxValue))
		if st := s.Stats(); st.Bytes > limit {
			t.Errorf("%d bytes after a value grew", st.Bytes)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
}

// TestStoreMadeAnew replaces the store below by an empty one, whose revisions
// begin again: nothing of the old is answered, and the new is kept in memory.
func TestStoreMadeAnew(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		for range 100 {
			put(t, s, "k", "old")
		}
		wants(t, s, "k", "old")
		b.freeze()
		if err := b.Store.Close(); err != nil {
			t.Fatal(err)
		}
		b.set(func(b *below) { b.Store = memory.New() })
		put(t, b.Store, "other", "new")
		b.heal()
		time.Sleep(10 * time.Second)
		for range 20 {
			wants(t, s, "k", "")
			wants(t, s, "other", "new")
			time.Sleep(100 * time.Millisecond)
		}
		if n := b.asked("other"); n > 10 {
			t.Errorf("the new store was asked %d times for one key", n)
		}
	})
}

// TestPanicBelow lets the store panic while others wait for the same answer.
func TestPanicBelow(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		b.set(func(b *below) {
			b.late = func(string) {
				time.Sleep(10 * time.Millisecond)
				panic("the store is broken")
			}
		})
		go func() {
			defer func() { _ = recover() }()
			_, _ = s.Get(context.Background(), "k")
		}()
		time.Sleep(time.Millisecond)
		if got := read(t.Context(), s, "k"); !strings.HasPrefix(got, kv.ErrUnavailable.Error()) {
			t.Errorf("who waited for the answer was given %q", got)
		}
		b.set(func(b *below) { b.late = nil })
		time.Sleep(time.Second)
		wants(t, s, "k", "")
	})
}
