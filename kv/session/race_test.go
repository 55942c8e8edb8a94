package session

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

func TestConcurrentChangesAreAllKept(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	nodes := []*bench{b, benchOver(t, b.store, Config{}), benchOver(t, b.store, Config{})}
	cookie := b.signedIn("ann")
	const writers, each = 50, 4
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			name := fmt.Sprintf("writer %d", w)
			for i := range each {
				s, err := nodes[w%len(nodes)].Load(t.Context(), b.jar(cookie))
				if err != nil {
					t.Error(err)
					return
				}
				old, _ := s.Get(name)
				if len(old) != i {
					t.Errorf("%s sees %q before change %d", name, old, i+1)
				}
				if err := s.Set(name, old+"x"); err != nil {
					t.Error(err)
				}
				if _, err := nodes[(w+1)%len(nodes)].Save(t.Context(), s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for w := range writers {
		b.wantValue(cookie, fmt.Sprintf("writer %d", w), strings.Repeat("x", each))
	}
}

func TestTwoTabsMergeByName(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("both", "0"))
	b.set(s, "gone", "1")
	b.set(s, "kept", "1")
	cookie := b.save(s).Value
	one, two := b.load(cookie), b.load(cookie)
	b.set(one, "one", "1")
	b.set(one, "both", "one")
	one.Delete("gone")
	b.set(two, "two", "2")
	b.set(two, "both", "two")
	b.save(one)
	b.save(two)
	for name, want := range map[string]string{"one": "1", "two": "2", "both": "two", "gone": "", "kept": "1"} {
		b.wantValue(cookie, name, want)
		if got, _ := two.Get(name); got != want {
			t.Errorf("the request itself sees %q as %q, want %q", name, got, want)
		}
	}
}

func TestMergedChangesRespectTheLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.start("a", "1")
	one, two := b.load(cookie), b.load(cookie)
	b.set(one, "one", strings.Repeat("1", maxValues/2))
	b.set(two, "two", strings.Repeat("2", maxValues/2))
	b.save(one)
	if c, err := b.Save(t.Context(), two); !errors.Is(err, ErrTooLarge) || c != nil {
		t.Errorf("cookie %v, error %v", c, err)
	}
	b.wantValue(cookie, "two", "")
}

// TestEndedStaysEnded lets a session end in every way while a slow request
// still holds it, before and in the middle of that request's Save.
func TestEndedStaysEnded(t *testing.T) {
	t.Parallel()
	ends := map[string]func(*bench, string){
		"sign-out": func(b *bench, cookie string) {
			s := b.load(cookie)
			s.SignOut()
			b.save(s)
		},
		"sign-in under a new id": func(b *bench, cookie string) {
			s := b.load(cookie)
			s.SignIn("ann", 0)
			b.save(s)
		},
		"revocation": func(b *bench, _ string) {
			if err := b.RevokeUser(context.Background(), "ann", ""); err != nil {
				b.t.Error(err)
			}
		},
	}
	for name, end := range ends {
		for _, inside := range []bool{false, true} {
			b := newBench(t, Config{})
			cookie := b.signedIn("ann")
			slow := b.load(cookie)
			b.set(slow, "late", "1")
			if inside {
				b.store.before = func() { end(b, cookie) }
			} else {
				end(b, cookie)
			}
			if c, err := b.Save(t.Context(), slow); !errors.Is(err, ErrEnded) || c != nil {
				t.Errorf("%s, inside %v: cookie %v, error %v", name, inside, c, err)
			}
			b.wantDead(cookie)
		}
	}
}

// TestSignOutRacesSlowRequests does the same with real concurrency: whatever
// the order, the session is gone when all have finished.
func TestSignOutRacesSlowRequests(t *testing.T) {
	t.Parallel()
	for range 20 {
		b := newBench(t, Config{})
		cookie := b.signedIn("ann")
		var wg sync.WaitGroup
		start := make(chan struct{})
		for w := range 8 {
			slow := b.load(cookie)
			b.set(slow, fmt.Sprint(w), "1")
			wg.Go(func() {
				<-start
				if _, err := b.Save(t.Context(), slow); err != nil && !errors.Is(err, ErrEnded) {
					t.Error(err)
				}
			})
		}
		out := b.load(cookie)
		out.SignOut()
		wg.Go(func() {
			<-start
			if _, err := b.Save(t.Context(), out); err != nil {
				t.Error(err)
			}
		})
		close(start)
		wg.Wait()
		b.wantDead(cookie)
		if k := b.keys(); len(k) > 0 {
			t.Fatalf("stored %q", k)
		}
	}
}

func TestSignInKeepsWhatAnotherTabChanged(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.start("lang", "es")
	s := b.load(cookie)
	s.SignIn("ann", 0)
	b.store.before = func() {
		tab := b.load(cookie)
		b.set(tab, "lang", "en")
		b.save(tab)
	}
	c := b.save(s)
	b.wantValue(c.Value, "lang", "en")
	b.wantDead(cookie)
}

func TestSignInHoldsWhenTheOldSessionEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.start("old", "1")
	s := b.load(cookie)
	b.set(s, "new", "1")
	s.SignIn("ann", 0)
	b.store.before = func() {
		tab := b.load(cookie)
		tab.SignOut()
		b.save(tab)
	}
	c := b.save(s)
	if got := b.load(c.Value); got.User() != "ann" || len(got.Names()) != 1 {
		t.Errorf("user %q with %q, want ann with this request's own value", got.User(), got.Names())
	}
}

func TestEndlessConflictEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("a", "1"))
	b.set(s, "a", "2")
	b.store.commitErr = kv.ErrConflict
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if c, err := b.Save(ctx, s); !errors.Is(err, kv.ErrUnavailable) || c != nil {
		t.Errorf("cookie %v, error %v", c, err)
	}
}
