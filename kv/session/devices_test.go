package session

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

func TestListShowsAUsersLiveSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Idle: time.Hour})
		idle := b.load(b.signedIn("ann"))
		time.Sleep(30 * time.Minute)
		first := b.load(b.signedIn("ann"))
		time.Sleep(29 * time.Minute)
		second := b.load(b.signedIn("ann"))
		b.signedIn("bob")
		if list := b.list("ann"); len(list) != 3 || list[2].ID != idle.ID() {
			t.Errorf("got %+v, want three, the oldest last", list)
		}
		time.Sleep(time.Minute) // The first one has been idle for an hour.
		list := b.list("ann")
		if len(list) != 2 || list[0].ID != second.ID() || list[1].ID != first.ID() {
			t.Errorf("got %+v, want the second and the first", list)
		}
		if got := list[1]; !got.Created.Equal(got.Seen) || got.Expires.Sub(got.Seen) != time.Hour {
			t.Errorf("times %+v", got)
		}
		if list := b.list("nobody"); len(list) > 0 {
			t.Errorf("nobody has %+v", list)
		}
	})
}

// list is List that must succeed.
func (b *bench) list(user string) []Device {
	b.t.Helper()
	list, err := b.List(b.t.Context(), user)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func TestRevokeUserEndsAllButOne(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Limit: maxLimit})
	var cookies []string
	for range revokePage + 50 { // More than one commit holds.
		cookies = append(cookies, b.signedIn("ann"))
	}
	other := b.signedIn("bob")
	kept := b.load(cookies[7])
	if err := b.RevokeUser(t.Context(), "ann", kept.ID()); err != nil {
		t.Fatal(err)
	}
	for i, c := range cookies {
		if u := b.load(c).User(); (u == "ann") != (i == 7) {
			t.Errorf("session %d is %q's", i, u)
		}
	}
	if u := b.load(other).User(); u != "bob" {
		t.Errorf("another user's session is %q's", u)
	}
	if err := b.RevokeUser(t.Context(), "ann", ""); err != nil {
		t.Fatal(err)
	}
	b.wantDead(cookies[7])
	if k := b.keys(); len(k) != 2 {
		t.Errorf("stored %q, want bob's record and index entry", k)
	}
}

func TestRevokeUserGivesUpOnEndlessSignIns(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
	b.signedIn("ann")
	var again func()
	again = func() {
		b.signedIn("ann")
		b.store.before = again
	}
	b.store.before = again
	if err := b.RevokeUser(t.Context(), "ann", ""); err == nil {
		t.Error("no error though the user keeps signing in")
	}
}

func TestDevicesAreToldApart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		home, phone := b.browser(), b.browser()
		firefox := Client{Browser: "Firefox", System: "Windows", Place: "203.0.113.x"}
		home.open(func(s *Session) { from(s, firefox); s.SignIn("ann", 0); _ = s.Remember("") })
		began := time.Now()
		phone.open(func(s *Session) { from(s, Client{Browser: "Safari", System: "iOS"}); s.SignIn("ann", 0) })
		for range 3 { // A remembered device has one entry, whatever sessions it had.
			home.close()
			time.Sleep(time.Hour)
			home.open(func(s *Session) { from(s, firefox) })
		}
		list := b.list("ann")
		if len(list) != 2 || list[0].Client != firefox || !list[0].Remembered || list[1].Client.Browser != "Safari" || list[1].Remembered {
			t.Fatalf("devices %+v", list)
		}
		if !list[0].Created.Equal(began) || !list[0].Seen.Equal(time.Now()) || list[0].Expires.Sub(began) != month {
			t.Errorf("times %+v", list[0])
		}
		if got := home.open(nil).Device(); got != list[0].ID {
			t.Errorf("the device itself is called %q", got)
		}
	})
}

func TestRevokeEndsOneDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	home, phone, bob := b.browser(), b.browser(), b.browser()
	home.signIn("ann", 0)
	phone.open(func(s *Session) { s.SignIn("ann", 0) })
	bobs := bob.signIn("bob", 0)
	for _, name := range []string{"", "nonsense", bobs.Device(), bobs.ID()} {
		if found, err := b.Revoke(t.Context(), "ann", name); found || err != nil {
			t.Errorf("%q: %v, %v", name, found, err)
		}
	}
	bob.wantUser("bob")
	for _, w := range []*browser{home, phone} {
		if found, err := b.Revoke(t.Context(), "ann", w.open(nil).Device()); !found || err != nil {
			t.Errorf("%v, %v", found, err)
		}
		w.wantUser("")
		w.close()
		w.wantUser("")
	}
}

func TestRevokeUserSparesARememberedDevice(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	home, phone := b.browser(), b.browser()
	phone.signIn("ann", 0)
	this := home.signIn("ann", 0)
	if err := b.RevokeUser(t.Context(), "ann", this.Device()); err != nil {
		t.Fatal(err)
	}
	home.wantUser("ann")
	home.close()
	home.wantUser("ann")
	phone.wantUser("")
	phone.close()
	phone.wantUser("")
}

func TestSessionsOfAUserAreLimited(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Limit: 3, Remember: month, Idle: 12 * time.Hour})
		var all []*browser
		for range 6 {
			w := b.browser()
			w.signIn("ann", 0)
			all = append(all, w)
			time.Sleep(2 * time.Hour)
			all[0].wantUser("ann") // Always the one that was used last but one.
		}
		for i, w := range all {
			want := ""
			if i == 0 || i >= 4 {
				want = "ann"
			}
			w.wantUser(want)
			if w.close(); i != 0 { // The oldest device's token is the first to go.
				w.wantUser(want)
			}
		}
		if n := len(b.list("ann")); n > 3 {
			t.Errorf("%d devices, the limit is 3", n)
		}
	})
}

func TestLimitCountsLiveSessionsAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Limit: 2, Idle: time.Hour})
		kept := b.browser()
		for range 5 {
			kept.open(func(s *Session) { s.SignIn("ann", 0) })
			b.browser().open(func(s *Session) { s.SignIn("ann", 0) })
			for range 4 { // The other one ends by itself.
				time.Sleep(20 * time.Minute)
				kept.wantUser("ann")
			}
		}
	})
}

func TestFailedTrimLosesNoSignIn(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Limit: 1})
	b.signedIn("ann")
	s := b.load("")
	s.SignIn("ann", 0)
	b.store.getErr = kv.ErrUnavailable
	c := b.save(s)
	b.store.getErr = nil
	if u := b.load(c.Value).User(); u != "ann" || !strings.Contains(b.log.String(), "limit of sessions was not enforced") {
		t.Errorf("user %q, log:\n%s", u, b.log)
	}
}
