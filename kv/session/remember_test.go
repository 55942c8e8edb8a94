package session

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// month is how long the tests remember a device.
const month = 30 * 24 * time.Hour

// browser keeps cookies as a browser does.
type browser struct {
	*bench
	jar map[string]*http.Cookie
}

// browser makes one without cookies.
func (b *bench) browser() *browser { return &browser{bench: b, jar: map[string]*http.Cookie{}} }

// cookies are what the browser sends.
func (w *browser) cookies() Cookies {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, c := range w.jar {
		r.AddCookie(c)
	}
	return w.Cookies(r)
}

// take keeps or removes what an answer sets.
func (w *browser) take(list []*http.Cookie) {
	for _, c := range list {
		if c.MaxAge < 0 {
			delete(w.jar, c.Name)
		} else {
			w.jar[c.Name] = c
		}
	}
}

// close ends the browser: what has no lifetime is gone.
func (w *browser) close() {
	for name, c := range w.jar {
		if c.MaxAge == 0 {
			delete(w.jar, name)
		}
	}
}

// open is one request that does something with the session.
func (w *browser) open(do func(*Session)) *Session {
	w.t.Helper()
	s, err := w.Load(w.t.Context(), w.cookies())
	if err != nil {
		w.t.Fatalf("Load: %v", err)
	}
	if do != nil {
		do(s)
	}
	w.take(w.saveAll(s))
	return s
}

// signIn signs in with a password and asks to be remembered.
func (w *browser) signIn(user string, generation uint64) *Session {
	w.t.Helper()
	return w.open(func(s *Session) {
		s.SignIn(user, generation)
		if err := s.Remember("stolen!"); err != nil {
			w.t.Fatal(err)
		}
	})
}

// wantUser fails unless the next request is that of a user, "" for nobody's.
func (w *browser) wantUser(want string) {
	w.t.Helper()
	if got := w.open(nil).User(); got != want {
		w.t.Errorf("the browser is taken for %q, want %q", got, want)
	}
}

func TestRememberedDeviceSignsIn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		w := b.browser()
		first := w.signIn("ann", 7)
		for day := range 29 {
			w.close()
			time.Sleep(24 * time.Hour)
			before := w.jar[rememberName].Value
			s := w.open(nil)
			if s.User() != "ann" || s.Generation() != 7 || s.Device() != first.Device() || s.ID() == first.ID() {
				t.Fatalf("day %d: user %q, generation %d, device %q", day+1, s.User(), s.Generation(), s.Device())
			}
			if w.jar[rememberName].Value == before {
				t.Fatal("the token was not replaced at its use")
			}
			w.wantUser("ann") // By the session's cookie, as ever.
		}
		w.close()
		time.Sleep(24 * time.Hour)
		w.wantUser("")
		time.Sleep(25 * time.Hour)
		if k := b.keys(); len(k) > 0 {
			t.Errorf("stored %q after the month", k)
		}
	})
}

func TestNotRememberedUnlessAskedFor(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{"not asked for": {Remember: month}, "not offered": {}} {
		b := newBench(t, cfg)
		w := b.browser()
		if name == "not offered" {
			w.signIn("ann", 0)
		} else {
			w.open(func(s *Session) { s.SignIn("ann", 0) })
		}
		w.close()
		if len(w.jar) > 0 {
			t.Errorf("%s: a cookie stays in the closed browser", name)
		}
		w.wantUser("")
	}
}

func TestRememberSettingHoldsForOldTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		w := b.browser()
		w.signIn("ann", 0)
		w.close()
		time.Sleep(48 * time.Hour)
		for name, cfg := range map[string]Config{"off": {}, "shorter": {Remember: 30 * time.Hour}} {
			if s, err := benchOver(t, b.store, cfg).Load(t.Context(), w.cookies()); err != nil || s.User() != "" {
				t.Errorf("%s: %q, %v", name, s.User(), err)
			}
		}
		w.wantUser("ann")
	})
}

// TestTabsThatWakeTogether restores many tabs at once, as a browser does at its
// start: all of them are the same session, and nothing is taken for theft.
func TestTabsThatWakeTogether(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	nodes := []*bench{b, benchOver(t, b.store, Config{Remember: month}), benchOver(t, b.store, Config{Remember: month})}
	for range 20 {
		w := b.browser()
		device := w.signIn("ann", 0).Device()
		w.close()
		var (
			mu   sync.Mutex
			wait sync.WaitGroup
			ids  = map[string]bool{}
		)
		cookies := w.cookies()
		for tab := range 12 {
			node := nodes[tab%len(nodes)]
			wait.Go(func() {
				s, err := node.Load(t.Context(), cookies)
				if err != nil || s.User() != "ann" {
					t.Errorf("tab %d is taken for %q, %v", tab, s.User(), err)
					return
				}
				if tab%2 == 0 {
					if err := s.Set(string(rune('a'+tab)), "1"); err != nil {
						t.Error(err)
					}
				}
				list, err := node.Save(t.Context(), s)
				if err != nil || s.Device() != device {
					t.Errorf("tab %d: device %q, %v", tab, s.Device(), err)
				}
				mu.Lock()
				defer mu.Unlock()
				ids[s.ID()] = true
				w.take(list)
			})
		}
		wait.Wait()
		if len(ids) != 1 {
			t.Fatalf("the tabs have %d sessions", len(ids))
		}
		s := w.open(nil)
		if s.User() != "ann" || len(s.Names()) != 6 {
			t.Fatalf("afterwards: user %q with %q", s.User(), s.Names())
		}
		w.close()
		w.wantUser("ann") // By the new token, whichever answer came last.
	}
	if strings.Contains(b.log.String(), "second time") {
		t.Error("the tabs were taken for a thief")
	}
}

func TestLostAnswerMayBeAskedForAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		w := b.browser()
		w.signIn("ann", 0)
		w.close()
		s, err := b.Load(t.Context(), w.cookies())
		if err != nil {
			t.Fatal(err)
		}
		b.saveAll(s) // The answer never arrives.
		time.Sleep(rotationGrace - time.Second)
		w.wantUser("ann")
		w.close()
		w.wantUser("ann")
	})
}

func TestSignOutForgetsTheDevice(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*Session){
		"sign-out":               func(s *Session) { s.SignOut() },
		"sign-out with farewell": func(s *Session) { s.SignOut(); _ = s.Set("bye", "1") },
		"another's sign-in":      func(s *Session) { s.SignIn("bob", 0) },
	} {
		for _, closed := range []bool{false, true} {
			b := newBench(t, Config{Remember: month})
			w := b.browser()
			w.signIn("ann", 0)
			if closed {
				w.close()
			}
			copied := w.cookies()
			w.open(end)
			if w.jar[rememberName] != nil {
				t.Errorf("%s, browser closed %v: the cookie is still there", name, closed)
			}
			if s, err := b.Load(t.Context(), copied); err != nil || s.User() == "ann" {
				t.Errorf("%s, browser closed %v: the copied cookies are %q, %v", name, closed, s.User(), err)
			}
			if list := b.list("ann"); len(list) > 0 {
				t.Errorf("%s, browser closed %v: ann still has %+v", name, closed, list)
			}
		}
	}
}

func TestRememberedKeepsTheVisitorsValues(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	w := b.browser()
	w.signIn("ann", 0)
	w.close()
	w.jar[rememberName], w.jar["kept"] = nil, w.jar[rememberName]
	delete(w.jar, rememberName)
	kept := w.jar["kept"]
	delete(w.jar, "kept")
	w.open(func(s *Session) { b.set(s, "lang", "es") })
	w.jar[rememberName] = kept
	s := w.open(nil)
	if v, _ := s.Get("lang"); s.User() != "ann" || v != "es" || w.jar[visitorName] != nil {
		t.Errorf("user %q, language %q, cookies %v", s.User(), v, w.jar)
	}
}

func TestDroppedDeviceLeavesTheVisitorAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	w := b.browser()
	w.open(func(s *Session) { b.set(s, "lang", "es") })
	remembered := b.browser()
	remembered.signIn("ann", 1)
	w.jar[rememberName] = remembered.jar[rememberName]
	s := w.open(func(s *Session) { s.Drop() })
	if v, _ := s.Get("lang"); s.User() != "" || v != "es" {
		t.Errorf("user %q, language %q", s.User(), v)
	}
	w.wantValue(w.jar[visitorName].Value, "lang", "es")
}

func TestKeyChangeKeepsDevices(t *testing.T) {
	t.Parallel()
	old := newBench(t, Config{Remember: month, Keys: [][]byte{oldKey}})
	w := old.browser()
	w.signIn("ann", 0)
	w.close()
	w.bench = benchOver(t, old.store, Config{Remember: month, Keys: [][]byte{testKey, oldKey}})
	w.wantUser("ann")
	w.close()
	w.bench = benchOver(t, old.store, Config{Remember: month, Keys: [][]byte{testKey}})
	w.wantUser("ann")
}

func TestStoreFailureForgetsNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	w := b.browser()
	w.signIn("ann", 0)
	w.close()
	b.store.getErr = kv.ErrUnavailable
	if s, err := b.Load(t.Context(), w.cookies()); s != nil || !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("session %v, error %v", s, err)
	}
	b.store.getErr = nil
	s, err := b.Load(t.Context(), w.cookies())
	if err != nil {
		t.Fatal(err)
	}
	b.store.commitErr = kv.ErrUnavailable
	if list, err := b.Save(t.Context(), s); list != nil || !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("cookies %v, error %v", list, err)
	}
	b.store.commitErr = nil
	w.wantUser("ann")
}

// TestSignInAgainOnARememberedDevice is what a password change does: another
// id and another token, and the values stay.
func TestSignInAgainOnARememberedDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	w := b.browser()
	w.signIn("ann", 0)
	w.open(func(s *Session) { b.set(s, "lang", "es") })
	copied := w.cookies()
	w.signIn("ann", 1)
	w.wantValue(w.jar[sessionName].Value, "lang", "es")
	for name, c := range map[string]Cookies{"session": {Session: copied.Session}, "token": {Remember: copied.Remember}} {
		if s, err := b.Load(t.Context(), c); err != nil || s.User() != "" {
			t.Errorf("the old %s is %q, %v", name, s.User(), err)
		}
	}
	w.close()
	w.wantUser("ann")
	if list := b.list("ann"); len(list) != 1 || !list[0].Remembered {
		t.Errorf("devices %+v", list)
	}
}
