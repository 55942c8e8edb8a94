package transaction

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/abi/abitest"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/session"
)

// firefox is a User-Agent header.
const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"

// remembered signs Ada in on a device that stays signed in.
func (w *world) remembered() session.Cookies {
	w.t.Helper()
	scope := w.scope()
	scope.Agent, scope.Address = firefox, netip.MustParseAddr("203.0.113.77")
	tx := w.Begin(scope)
	must(w.t, tx, abi.OpSignIn, text("l", "p"))
	if !must(w.t, tx, abi.OpRemember, text("error\tstolen")).Bool() {
		w.t.Fatal("the device is not remembered")
	}
	return w.commit(tx)
}

// reader is who cookies are taken for, "" for nobody.
func (w *world) reader(c session.Cookies) string {
	w.t.Helper()
	scope := w.scope()
	scope.Cookies = c
	a, err := w.Begin(scope).Account(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if a == nil {
		return ""
	}
	return a.Login
}

// TestDevicesAreListed tells one from another in plain words.
func TestDevicesAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.signedIn()
	scope := w.scope()
	scope.Cookies, scope.Safe = w.remembered(), true
	tx := w.Begin(scope)
	list := must(t, tx, abi.OpDevices, nil).Devices()
	if len(list) != 2 {
		t.Fatalf("devices %+v", list)
	}
	for _, d := range list {
		if d.Current != d.Remembered || d.Current && (d.Browser != "Firefox" || d.System != "Linux" || d.Place != "203.0.113.x") || d.Seen < d.Created || d.Created == 0 {
			t.Errorf("device %+v", d)
		}
	}
	if !tx.Personal() || !FactDevices.Fleeting() {
		t.Error("the list could be cached")
	}
}

// TestEndingDevicesWaitsForTheCommit ends one device and then all others.
func TestEndingDevicesWaitsForTheCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two, three := w.remembered(), w.remembered(), w.signedIn()
	scope := w.scope()
	scope.Cookies = three
	tx := w.Begin(scope)
	var id string
	for _, d := range must(t, tx, abi.OpDevices, nil).Devices() {
		if token, ok := w.Sessions.Verify(one.Session); ok && d.Remembered && id == "" && token.ID() != "" {
			id = d.ID
		}
	}
	if !must(t, tx, abi.OpEndDevice, text(id)).Bool() {
		t.Fatal("the device is not found")
	}
	if w.reader(one) != "ada" || w.reader(two) != "ada" {
		t.Error("a device ended before the commit")
	}
	w.commit(tx)
	if (w.reader(one) == "") == (w.reader(two) == "") || w.reader(three) != "ada" {
		t.Errorf("after ending one: %q, %q, %q", w.reader(one), w.reader(two), w.reader(three))
	}
	tx = w.Begin(scope)
	must(t, tx, abi.OpEndOthers, nil)
	w.commit(tx)
	for _, c := range []session.Cookies{one, two, {Remember: one.Remember}, {Remember: two.Remember}} {
		if got := w.reader(c); got != "" {
			t.Errorf("another device is still %q", got)
		}
	}
	if w.reader(three) != "ada" {
		t.Error("this device was signed out")
	}
}

// TestEndingThisDeviceIsASignOut also forgets it.
func TestEndingThisDeviceIsASignOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.remembered()
	scope := w.scope()
	scope.Cookies = here
	tx := w.Begin(scope)
	id := must(t, tx, abi.OpDevices, nil).Devices()[0].ID
	if !must(t, tx, abi.OpEndDevice, text(id)).Bool() || must(t, tx, abi.OpSignedIn, nil).Bool() {
		t.Error("the reader is still signed in")
	}
	if got := w.commit(tx); got != noCookies {
		t.Errorf("cookies %+v", got)
	}
	for _, c := range []session.Cookies{here, {Remember: here.Remember}} {
		if w.reader(c) != "" {
			t.Error("the device is still signed in")
		}
	}
}

// TestNewPasswordEndsTheOthers and lets this device stay signed in under
// another id, remembered if it was.
func TestNewPasswordEndsTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other, here := w.remembered(), w.remembered()
	scope := w.scope()
	scope.Cookies = here
	scope.Form.Set("q", "a new long password")
	tx := w.Begin(scope)
	in := must(t, tx, abi.OpSetPassword, text("p", "q", "error\tstolen"))
	if o := abi.Outcome(in.Uint()); o != abi.OutcomeOK {
		t.Fatalf("outcome %d", o)
	}
	if w.reader(other) != "ada" {
		t.Error("the other device ended before the commit")
	}
	must(t, tx, abi.OpPut, put("write/audit", "1"))
	now := w.commit(tx)
	if w.value("write/audit") != "1" || w.reader(now) != "ada" || w.reader(session.Cookies{Remember: now.Remember}) != "ada" || now == here {
		t.Error("this device did not stay signed in")
	}
	for _, c := range []session.Cookies{other, here, {Remember: other.Remember}, {Remember: here.Remember}} {
		if w.reader(c) != "" {
			t.Error("an old session or token is still good")
		}
	}
	if _, err := w.Accounts.Check(t.Context(), "ada", "a new long password"); err != nil {
		t.Error(err)
	}
	if _, err := w.Accounts.Check(t.Context(), "ada", abitest.Ada.Password); !errors.Is(err, auth.ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
}

// TestNewPasswordEndsTheOthersEvenIfThisProcessDies stops between the commit of
// the records and the clean-up of the sessions.
func TestNewPasswordEndsTheOthersEvenIfThisProcessDies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := w.remembered()
	if err := w.Accounts.SetPassword(t.Context(), abitest.Ada.ID, "a new long password"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []session.Cookies{other, {Remember: other.Remember}} {
		if w.reader(c) != "" {
			t.Error("a session of the old password is still good")
		}
	}
	if list, err := w.Sessions.List(t.Context(), abitest.Ada.ID); err != nil || len(list) == 0 {
		t.Errorf("nothing was left to clean up, so this shows nothing: %v, %v", list, err)
	}
}

// TestTheftIsToldAtTheNextSignIn uses a token twice.
func TestTheftIsToldAtTheNextSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	stolen := w.remembered().Remember
	token := session.Cookies{Remember: stolen}
	for range 2 { // Two uses by somebody: the second by the token of the first.
		scope := w.scope()
		scope.Cookies = token
		tx := w.Begin(scope)
		must(t, tx, abi.OpSignedIn, nil)
		token = session.Cookies{Remember: w.commit(tx).Remember}
	}
	if w.reader(session.Cookies{Remember: stolen}) != "" || w.reader(token) != "" {
		t.Error("a stolen token is good")
	}
	scope := w.scope()
	tx := w.Begin(scope)
	must(t, tx, abi.OpSignIn, text("l", "p"))
	if list := must(t, tx, abi.OpNotices, nil).Strings(); len(list) != 1 || list[0] != "error\tstolen" {
		t.Errorf("notices %q", list)
	}
}

// TestThrottledAttemptsWait tells for how long, and exempts a known device.
func TestThrottledAttemptsWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Accounts = auth.New(w.Records, auth.Options{Params: cheap, Limits: w.sessions, Keys: [][]byte{[]byte("a key of a test")}, Logger: w.Logger})
	scope := w.scope()
	scope.Address = netip.MustParseAddr("203.0.113.77")
	tx := w.Begin(scope)
	must(t, tx, abi.OpSignIn, text("l", "p"))
	cookies, err := tx.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := cookies[len(cookies)-1]
	if last.Name != w.Accounts.DeviceCookieName() {
		t.Fatalf("cookies %v: none makes the device known", cookies)
	}
	wrong := w.scope()
	wrong.Address = scope.Address
	wrong.Form.Set("p", "a wrong password")
	outcome, wait := abi.OutcomeOK, uint64(0)
	for range 50 {
		in := must(t, w.Begin(wrong), abi.OpSignIn, text("l", "p"))
		if outcome, wait = abi.Outcome(in.Uint()), in.Uint(); outcome == abi.OutcomeThrottled {
			break
		}
	}
	if outcome != abi.OutcomeThrottled || wait < 1 || wait > 60 {
		t.Errorf("outcome %d, wait %d s", outcome, wait)
	}
	in := must(t, w.Begin(scope), abi.OpSignIn, text("l", "p"))
	if outcome := abi.Outcome(in.Uint()); outcome != abi.OutcomeThrottled {
		t.Errorf("the right password from there: outcome %d", outcome)
	}
	scope.Device = last.Value
	in = must(t, w.Begin(scope), abi.OpSignIn, text("l", "p"))
	if outcome := abi.Outcome(in.Uint()); outcome != abi.OutcomeOK {
		t.Errorf("the right password on a known device: outcome %d", outcome)
	}
	page, err := w.sessions.Scan(t.Context(), kv.Range{Prefix: auth.LimitPrefix})
	if err != nil || len(page.Entries) == 0 || strings.Contains(page.Entries[0].Key, "ada") {
		t.Errorf("counted attempts %+v, %v", page.Entries, err)
	}
}

// TestNewPasswordHoldsWithoutTheSessions loses the store of sessions when the
// records are written already.
func TestNewPasswordHoldsWithoutTheSessions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	here := w.remembered()
	broken := &faulty{Store: w.sessions}
	var err error
	if w.Sessions, err = session.NewManager(broken, session.Config{Keys: [][]byte{[]byte("a key of a test")}, Logger: w.Logger}); err != nil {
		t.Fatal(err)
	}
	scope := w.scope()
	scope.Cookies = here
	scope.Form.Set("q", "a new long password")
	tx := w.Begin(scope)
	must(t, tx, abi.OpSetPassword, text("p", "q", "n"))
	broken.down = true
	if cookies, err := tx.Commit(t.Context()); err != nil || cookies != nil {
		t.Errorf("told as failed though the password is changed: %v, %v", cookies, err)
	}
	broken.down = false
	if w.reader(here) != "" {
		t.Error("a session of the old password is good")
	}
	if _, err := w.Accounts.Check(t.Context(), "ada", "a new long password"); err != nil {
		t.Error(err)
	}
}
