package session

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

func TestStolenTokenEndsAllDevices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		home, phone, office, bob := b.browser(), b.browser(), b.browser(), b.browser()
		home.signIn("ann", 0)
		phone.signIn("ann", 0)
		bob.signIn("bob", 0)
		office.open(func(s *Session) { s.SignIn("ann", 0) }) // Not remembered.
		home.close()
		thief := b.browser()
		thief.jar[rememberName] = home.jar[rememberName]
		thief.wantUser("ann")
		time.Sleep(2 * rotationGrace)

		home.wantUser("") // The owner comes with a token that was used: alarm.
		home.close()
		for name, w := range map[string]*browser{"thief's session": thief, "phone": phone, "home": home} {
			w.wantUser("")
			w.close()
			if w.open(nil).User() != "" {
				t.Errorf("%s is still remembered", name)
			}
		}
		office.wantUser("ann")
		bob.wantUser("bob")

		var notice string
		warn := func(s *Session) {
			s.SignIn("ann", 0)
			var err error
			if notice, err = b.Warning(t.Context(), s); err != nil {
				t.Error(err)
			}
		}
		home.open(warn)
		if notice != "stolen!" {
			t.Errorf("the notice is %q", notice)
		}
		if home.open(warn); notice != "" {
			t.Errorf("the notice comes again: %q", notice)
		}
		if log := b.log.String(); !strings.Contains(log, "second time") || strings.Contains(log, "ann") || strings.Contains(log, thief.jar[rememberName].Value) {
			t.Errorf("the log does not tell of it, or tells too much:\n%s", log)
		}
	})
}

// TestThiefWhoComesSecond is the other order: the owner's device is used
// first, and it is the thief who raises the alarm.
func TestThiefWhoComesSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		home, thief := b.browser(), b.browser()
		home.signIn("ann", 0)
		home.close()
		thief.jar[rememberName] = home.jar[rememberName]
		home.wantUser("ann")
		home.close()
		home.wantUser("ann") // Two uses on: no grace for the first token.
		thief.wantUser("")
		home.wantUser("")
		if !strings.Contains(b.log.String(), "second time") {
			t.Error("no alarm")
		}
	})
}

func TestForgedTokensAreNobody(t *testing.T) {
	t.Parallel()
	b := newBench(t, Config{Remember: month})
	w := b.browser()
	w.signIn("ann", 0)
	good := w.jar[rememberName].Value
	body, _, err := b.remember.open(good, rememberBodySize)
	if err != nil {
		t.Fatal(err)
	}
	other := *decodeRemember(body)
	other.verifier[0] ^= 1
	unknown := newRememberToken("ann", time.Now())
	gets := b.store.gets
	for name, value := range map[string]string{
		"empty": "", "word": "ann", "truncated": good[:len(good)-1], "longer": good + "A", "oversized": strings.Repeat(good, 1000),
		"of another site": newSigner(rememberName, [][]byte{oldKey}).seal(unknown.encode()),
		"of the session":  newSigner(sessionName, [][]byte{testKey}).seal(unknown.encode()),
	} {
		s, err := b.Load(t.Context(), Cookies{Remember: value})
		if err != nil || s.User() != "" || b.store.gets != gets {
			t.Errorf("%s: user %q, %v, %d reads", name, s.User(), err, b.store.gets-gets)
		}
	}
	if s, err := b.Load(t.Context(), Cookies{Remember: b.remember.seal(unknown.encode())}); err != nil || s.User() != "" {
		t.Errorf("an unknown device is %q, %v", s.User(), err)
	}
	// One that is signed and was never given out can only come from whoever
	// has the key; it ends the device as a stolen one does.
	if s, err := b.Load(t.Context(), Cookies{Remember: b.remember.seal(other.encode())}); err != nil || s.User() != "" {
		t.Errorf("a made-up token is %q, %v", s.User(), err)
	}
}

// TestTheftEndsAllInOneCommit fails everything after the first commit, as if
// the process had died there.
func TestTheftEndsAllInOneCommit(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Remember: month})
		home, phone := b.browser(), b.browser()
		home.signIn("ann", 0)
		phone.signIn("ann", 0)
		phone.close()
		home.close()
		stolen := home.cookies()
		home.wantUser("ann")
		time.Sleep(2 * rotationGrace)
		dies := &dying{Store: b.store.Store, commits: 1}
		if _, err := benchOver(t, &spy{Store: dies}, Config{Remember: month}).Load(t.Context(), stolen); err != nil && dies.commits > 0 {
			t.Fatal(err)
		}
		if dies.commits > 0 {
			t.Fatal("nothing was committed")
		}
		home.wantUser("")
		phone.wantUser("")
	})
}

// dying is a store that takes some commits and then no more.
type dying struct {
	kv.Store
	commits int
}

// Commit fails when the number is used up.
func (d *dying) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if d.commits--; d.commits < 0 {
		return 0, kv.ErrUnavailable
	}
	return d.Store.Commit(ctx, checks, writes)
}
