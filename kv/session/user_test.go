package session

import (
	"testing"
	"testing/synctest"
	"time"
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
func (b *bench) list(user string) []Info {
	b.t.Helper()
	list, err := b.List(b.t.Context(), user)
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func TestRevokeUserEndsAllButOne(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{})
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
