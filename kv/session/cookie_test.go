package session

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
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

// TestAllCookiesAreAlike looks at every cookie that is ever set: all keep to
// this host and away from scripts, and one alone outlives the browser.
func TestAllCookiesAreAlike(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Secure: true, Remember: month})
	w := b.browser()
	seen := map[string]bool{}
	for _, do := range []func(*Session){
		func(s *Session) { b.set(s, "lang", "es") },
		func(s *Session) { s.SignIn("ann", 0); _ = s.Remember("") },
		func(s *Session) { b.set(s, "lang", "en") },
		func(s *Session) { s.SignOut(); b.set(s, "bye", "1") },
		func(s *Session) { s.SignIn("ann", 0) },
		func(s *Session) { s.SignOut() },
	} {
		s, err := b.Load(t.Context(), w.cookies())
		if err != nil {
			t.Fatal(err)
		}
		do(s)
		for _, c := range b.saveAll(s) {
			seen[c.Name] = true
			persistent := c.MaxAge > 0
			if !strings.HasPrefix(c.Name, hostPrefix) || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode ||
				c.Path != "/" || c.Domain != "" || len(c.Name)+len(c.Value) > 256 || persistent != (c.Name == hostPrefix+rememberName && c.Value != "") {
				t.Errorf("cookie %+v", c)
			}
			w.take([]*http.Cookie{c})
		}
	}
	if len(seen) != 3 {
		t.Errorf("seen %v, want all three", seen)
	}
}

// TestRetiredIDsAreNoticed shows the cookie of a session that was signed out:
// the log tells of it under the name that the session had.
func TestRetiredIDsAreNoticed(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	cookie := b.signedIn("ann")
	s := b.load(cookie)
	name := "session=" + b.tag(s.ID())
	s.SignOut()
	b.save(s)
	before := strings.Count(b.log.String(), name)
	b.wantDead(cookie)
	if log := b.log.String(); before == 0 || strings.Count(log, name) != before+1 || !strings.Contains(log, "session refused") {
		t.Errorf("the log tells nothing of %s:\n%s", name, log)
	}
}

// TestOtherBrowserIsNoticed moves a session to another browser: that is no
// reason to end it, since browsers are updated, and one to tell of it.
func TestOtherBrowserIsNoticed(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	w := b.browser()
	firefox := Client{Browser: "Firefox", System: "Windows", Place: "203.0.113.x"}
	elsewhere := firefox
	elsewhere.Place = "198.51.100.x"
	w.open(func(s *Session) { from(s, firefox); s.SignIn("ann", 0) })
	for _, c := range []Client{firefox, elsewhere, {}} {
		w.open(func(s *Session) { from(s, c); b.set(s, "n", c.Place) })
	}
	if strings.Contains(b.log.String(), "another browser") {
		t.Error("the same browser elsewhere is told of")
	}
	w.open(func(s *Session) { from(s, Client{Browser: "Chrome", System: "Linux"}); b.set(s, "n", "4") })
	if !strings.Contains(b.log.String(), "another browser") {
		t.Error("another browser is not told of")
	}
	w.wantUser("ann")
}

// TestClientIsCut keeps what a request says of itself within bounds, without
// cutting a character in two.
func TestClientIsCut(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	w := b.browser()
	w.open(func(s *Session) { from(s, Client{Browser: strings.Repeat("é", 100)}); s.SignIn("ann", 0) })
	if got := b.list("ann")[0].Client.Browser; got != strings.Repeat("é", maxClient/2) {
		t.Errorf("got %q", got)
	}
}
