package session

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// cache is a store as another process has it: it answers from a copy that
// lags behind until it is fenced or asked for a revision.
type cache struct {
	kv.Store
	copy     map[string]kv.Entry
	seen     kv.Revision
	fences   atomic.Int64
	fenced   kv.Revision
	fenceErr error
}

// Get answers with the old unless that would be too old.
func (c *cache) Get(ctx context.Context, key string) (kv.Entry, error) {
	if e, ok := c.copy[key]; ok && kv.LeastRevision(ctx) <= c.seen {
		return e, nil
	}
	return c.Store.Get(ctx, key)
}

// Fence notes the revision.
func (c *cache) Fence(_ context.Context, r kv.Revision) error {
	c.fences.Add(1)
	c.fenced = max(c.fenced, r)
	return c.fenceErr
}

// newest is the revision of the last write, as a scan tells it.
func newest(t *testing.T, store kv.Store) kv.Revision {
	t.Helper()
	page, err := store.Scan(t.Context(), kv.Range{})
	if err != nil {
		t.Fatal(err)
	}
	return page.Revision
}

// TestLoadIsNotOlderThanTheCookie reads through a cache that lags behind: the
// cookie says what its bearer has seen already.
func TestLoadIsNotOlderThanTheCookie(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("n", "1"))
	cached := &cache{Store: b.store.Store, copy: map[string]kv.Entry{}}
	old, err := b.store.Get(t.Context(), recordKey(s.ID()))
	if err != nil {
		t.Fatal(err)
	}
	cached.copy[old.Key], cached.seen = old, old.Revision
	b.set(s, "n", "2")
	cookie := b.save(s).Value
	other := benchOver(t, &spy{Store: cached}, Config{})
	other.wantValue(cookie, "n", "2")
}

// TestEndsAreFenced holds that every end of a person's session waits for all
// processes before it is told.
func TestEndsAreFenced(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*bench, *Session) error{
		"sign-out":               func(b *bench, s *Session) error { s.SignOut(); return b.saved(s) },
		"sign-out with farewell": func(b *bench, s *Session) error { s.SignOut(); b.set(s, "bye", "1"); return b.saved(s) },
		"sign-in anew":           func(b *bench, s *Session) error { s.SignIn("ann", 1); return b.saved(s) },
		"drop":                   func(b *bench, s *Session) error { s.Drop(); return b.saved(s) },
		"one device": func(b *bench, s *Session) error {
			_, err := b.Revoke(b.t.Context(), "ann", s.Device())
			return err
		},
		"all devices": func(b *bench, _ *Session) error { return b.RevokeUser(b.t.Context(), "ann", "") },
	} {
		b := newBench(t, Config{Remember: month})
		cached := &cache{Store: b.store.Store}
		b.Manager.store = cached
		w := b.browser()
		w.signIn("ann", 0)
		before := newest(t, b.store)
		if cached.fences.Load() != 0 {
			t.Errorf("%s: a first sign-in waits for the other processes", name)
		}
		s, err := b.Load(t.Context(), w.cookies())
		if err != nil {
			t.Fatal(err)
		}
		if err := end(b, s); err != nil || cached.fences.Load() == 0 || cached.fenced <= before {
			t.Errorf("%s: %v, %d fences up to %d, the session began at %d", name, err, cached.fences.Load(), cached.fenced, before)
		}
		w = b.browser()
		w.signIn("ann", 0)
		cached.fenceErr = errors.New("a node does not answer")
		if s, err = b.Load(t.Context(), w.cookies()); err != nil {
			t.Fatal(err)
		}
		if err := end(b, s); !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("%s: told as done though a process may not know: %v", name, err)
		}
	}
}

// saved is the error of Save.
func (b *bench) saved(s *Session) error {
	return saveError(b.Save(b.t.Context(), s))
}

// TestLaggingCopyRaisesNoAlarm shows a process an old copy of a remembered
// device: the newest token then looks unknown, and must not be taken for a
// stolen one.
func TestLaggingCopyRaisesNoAlarm(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	w := b.browser()
	w.signIn("ann", 0)
	w.close()
	token := b.parseRemember(t.Context(), w.cookies().Remember)
	old, err := b.store.Get(t.Context(), token.key())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.open(nil)
		w.close()
	}
	lagging := &cache{Store: b.store.Store, copy: map[string]kv.Entry{old.Key: old}, seen: old.Revision}
	other := benchOver(t, &spy{Store: lagging}, Config{Remember: month})
	s, err := other.Load(t.Context(), w.cookies())
	if err != nil || s.User() != "ann" {
		t.Errorf("user %q, %v", s.User(), err)
	}
}
