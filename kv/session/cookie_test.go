package session

import (
	"errors"
	"net/http/httptest"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// TestLateAnonymousAnswerSignsNobodyOut lets a tab that was anonymous answer
// after another tab has signed in: the browser keeps both cookies, and the
// person stays signed in.
func TestLateAnonymousAnswerSignsNobodyOut(t *testing.T) {
	t.Parallel()
	for _, before := range []bool{false, true} {
		b := newBench(t, Config{})
		w := b.browser()
		if before {
			w.open(func(s *Session) { b.set(s, "lang", "en") })
		}
		slow, err := b.Load(t.Context(), w.cookies())
		if err != nil {
			t.Fatal(err)
		}
		b.set(slow, "lang", "es")
		late := b.saveAll(slow)
		w.open(func(s *Session) { s.SignIn("ann", 0) })
		w.take(late)
		w.wantUser("ann")
		w.open(func(s *Session) { s.SignOut() })
		w.wantUser("")
	}
}

// TestSessionOfTheOtherKindIsRefused sends each kind of cookie as the other.
func TestSessionOfTheOtherKindIsRefused(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	visitor, ann := b.start("lang", "es"), b.signedIn("ann")
	for _, c := range []Cookies{{Session: visitor}, {Visitor: ann}, {Remember: ann}} {
		if s, err := b.Load(t.Context(), c); err != nil || s.Exists() {
			t.Errorf("%+v opens a session, %v", c, err)
		}
	}
	// Even a genuine signature does not turn one record into the other kind.
	token, _ := b.Verify(visitor)
	forged := b.session.sign(token.id, token.Revision)
	if s, err := b.Load(t.Context(), Cookies{Session: forged}); err != nil || s.Exists() {
		t.Errorf("a visitor's record is a person's session, %v", err)
	}
}

// TestVisitorsGoOnWithoutTheStore reads a visitor's cookie while the store is
// away: pages go on, what would be lost is refused.
func TestVisitorsGoOnWithoutTheStore(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.start("lang", "es")
	b.store.getErr = kv.ErrUnavailable
	s := b.load(cookie)
	if s.User() != "" || len(s.Names()) > 0 {
		t.Errorf("user %q with %q", s.User(), s.Names())
	}
	if list := b.saveAll(s); list != nil {
		t.Errorf("cookies %v would take the place of the visitor's", list)
	}
	for name, change := range map[string]func(*Session){
		"value": func(s *Session) { b.set(s, "lang", "en") }, "sign-in": func(s *Session) { s.SignIn("ann", 0) }, "sign-out": func(s *Session) { s.SignOut() },
	} {
		s := b.load(cookie)
		change(s)
		if list, err := b.Save(t.Context(), s); list != nil || !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("%s: cookies %v, error %v", name, list, err)
		}
	}
	b.store.getErr = nil
	b.wantValue(cookie, "lang", "es")
}

// TestOnlyCookiesCarryAnID sends a genuine value in every other place.
func TestOnlyCookiesCarryAnID(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	value := b.signedIn("ann")
	r := httptest.NewRequest("POST", "/?session="+value+"&id="+value, nil)
	r.Header.Set("Authorization", "Bearer "+value)
	r.Header.Set("X-Session", value)
	r.Header.Set("Cookie", "SESSION="+value+"; session_id="+value+"; __Host-session="+value)
	if got := b.Cookies(r); got != (Cookies{}) {
		t.Errorf("the request names %+v", got)
	}
}
