package session

import (
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

func TestSavedChangesAreLoaded(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.start("lang", "es")
	s := b.load(cookie)
	b.set(s, "lang", "en")
	b.set(s, "back", "/home")
	next := b.save(s)
	if next == nil || next.Value == cookie {
		t.Fatalf("cookie %v: the new revision must reach the browser", next)
	}
	if tok, _ := b.Verify(next.Value); tok.Revision != s.rev {
		t.Errorf("the cookie says revision %d, the record is %d", tok.Revision, s.rev)
	}
	// The cookie of before opens the same session: another tab still has it.
	for _, c := range []string{cookie, next.Value} {
		b.wantValue(c, "lang", "en")
		b.wantValue(c, "back", "/home")
	}
	s.Delete("back")
	b.save(s)
	b.wantValue(cookie, "back", "")
	if before := b.commits(); b.save(s) != nil || b.commits() != before {
		t.Error("a second Save wrote again")
	}
}

func TestTwoNodesShareSessions(t *testing.T) {
	t.Parallel()
	one := newBench(t, Config{})
	two := benchOver(t, one.store, Config{})
	cookie := one.signedIn("ann")
	s := two.load(cookie)
	if s.User() != "ann" {
		t.Fatalf("user %q on the other node", s.User())
	}
	s.SignOut()
	two.save(s)
	one.wantDead(cookie)
}

func TestSignInChangesTheID(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	planted := b.start("back", "/course/go/take")
	s := b.load(planted)
	before := s.ID()
	s.SignIn("ann", 0)
	b.set(s, "fresh", "1")
	c := b.save(s)
	if s.ID() == before || c.Value == planted {
		t.Fatal("the id is the same after the sign-in")
	}
	b.wantDead(planted)
	if u := b.load(c.Value).User(); u != "ann" {
		t.Errorf("user %q", u)
	}
	b.wantValue(c.Value, "back", "/course/go/take")
	b.wantValue(c.Value, "fresh", "1")
	if _, err := b.store.Get(t.Context(), recordKey(before)); err == nil {
		t.Error("the old record is still stored")
	}
	if k := b.keys(); len(k) != 2 {
		t.Errorf("stored %q, want one record and its index entry", k)
	}
	last := b.store.commits[len(b.store.commits)-1]
	if len(last) != 3 {
		t.Errorf("old record, new record and index entry are not one commit: %d writes", len(last))
	}
}

func TestSigningInAgainChangesTheIDAndKeepsValues(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	old := b.signedIn("ann")
	s := b.load(old)
	b.set(s, "lang", "es")
	b.save(s)
	s.SignIn("ann", 0)
	c := b.save(s)
	b.wantDead(old)
	b.wantValue(c.Value, "lang", "es")
	if k := b.keys(); len(k) != 2 {
		t.Errorf("stored %q, want one record and its index entry", k)
	}
}

func TestAnotherUserInheritsNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.signedIn("ann"))
	b.set(s, "draft", "ann's")
	b.save(s)
	s.Delete("draft")
	b.set(s, "back", "/home")
	s.SignIn("bob", 0)
	c := b.save(s)
	if got := b.load(c.Value).Names(); len(got) != 1 || got[0] != "back" {
		t.Errorf("bob's session holds %q", got)
	}
	if list, err := b.List(t.Context(), "ann"); err != nil || len(list) > 0 {
		t.Errorf("ann still has %v, %v", list, err)
	}
}

func TestSignOutDestroysTheRecord(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.signedIn("ann")
	s := b.load(cookie)
	b.set(s, "lost", "1")
	s.SignOut()
	if names := s.Names(); len(names) > 0 {
		t.Errorf("values %q are visible after SignOut", names)
	}
	c := b.save(s)
	if c == nil || c.MaxAge >= 0 || c.Value != "" {
		t.Errorf("cookie %v does not clear the browser's", c)
	}
	if k := b.keys(); len(k) > 0 || s.Exists() {
		t.Errorf("stored %q", k)
	}
	b.wantDead(cookie)
	// Signing out twice, or without a session, clears the cookie and is no error.
	for _, again := range []string{cookie, "", "nonsense"} {
		s := b.load(again)
		s.SignOut()
		if c := b.save(s); c == nil || c.MaxAge >= 0 {
			t.Errorf("%q: cookie %v", again, c)
		}
	}
}

func TestValuesSetAfterSignOutAreANewSession(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.signedIn("ann")
	s := b.load(cookie)
	b.set(s, "secret", "ann's")
	b.save(s)
	s.SignOut()
	b.set(s, "flash", "goodbye")
	c := b.save(s)
	b.wantDead(cookie)
	after := b.load(c.Value)
	if after.User() != "" || len(after.Names()) != 1 {
		t.Errorf("the new session is %q's and holds %q", after.User(), after.Names())
	}
	b.wantValue(c.Value, "flash", "goodbye")
}

func TestRotatedKeySignsAnew(t *testing.T) {
	t.Parallel()
	old := newBench(t, Config{Keys: [][]byte{oldKey}})
	cookie := old.signedIn("ann")
	b := benchOver(t, old.store, Config{Keys: [][]byte{testKey, oldKey}})
	s, before := b.load(cookie), b.commits()
	c := b.save(s)
	if s.User() != "ann" || c == nil {
		t.Fatalf("user %q, cookie %v", s.User(), c)
	}
	if b.commits() != before {
		t.Error("signing anew wrote to the store")
	}
	if b.save(s) != nil {
		t.Error("a second Save signs again")
	}
	only := benchOver(t, old.store, Config{Keys: [][]byte{testKey}})
	if u := only.load(c.Value).User(); u != "ann" {
		t.Errorf("user %q once the old key is retired", u)
	}
	only.wantDead(cookie)
}

func TestSaveKnowsTheRecordsRevision(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("a", "1"))
	s.SignIn("ann", 0)
	tok, _ := b.Verify(b.save(s).Value)
	e, err := b.store.Get(t.Context(), recordKey(s.ID()))
	if err != nil || e.Revision != tok.Revision || e.Revision != s.rev {
		t.Errorf("the record has revision %d (%v), the cookie says %d, the session %d", e.Revision, err, tok.Revision, s.rev)
	}
	gets := b.store.gets
	b.set(s, "a", "2")
	if b.save(s); b.store.gets != gets {
		t.Error("the next change took the session for changed by somebody else")
	}
}

// TestEveryWriteExpires is the test against immortal sessions: no way of
// writing one may leave out the time to live.
func TestEveryWriteExpires(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	s := b.load(b.start("a", "1"))
	b.set(s, "a", "2")
	b.save(s)
	s.SignIn("ann", 0)
	b.save(s)
	b.set(s, "a", "3")
	b.save(s)
	s.SignIn("ann", 0)
	b.save(s)
	s.SignOut()
	b.set(s, "b", "1")
	b.save(s)
	puts := 0
	for _, writes := range b.store.commits {
		for _, w := range writes {
			if w.Remove {
				continue
			}
			puts++
			if w.TTL < grace || w.TTL > defaultAbsolute+grace {
				t.Errorf("%q is written to live %v", w.Key, w.TTL)
			}
			if err := kv.CheckKey(w.Key); err != nil || strings.Trim(w.Key, "abcdefghijklmnopqrstuvwxyz234567/") != "" {
				t.Errorf("key %q: %v", w.Key, err)
			}
		}
	}
	if puts < 8 {
		t.Errorf("only %d writes were seen", puts)
	}
}
