package transaction

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/abi/abitest"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
)

// newcomer is a scope whose form signs somebody up.
func (w *world) newcomer(login string) Scope {
	s := w.scope()
	s.Form.Set("l", login)
	s.Form.Set("e", login+"@example.org")
	s.Form.Set("p", "long enough word")
	return s
}

// signUp is the message for the form of newcomer.
var signUp = text("l", "e", "p", "student")

// TestSignUpAndProfileAreOneCommit makes an account with its first record.
func TestSignUpAndProfileAreOneCommit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.newcomer("bob"))
	in := must(t, tx, abi.OpSignUp, signUp)
	outcome, id := abi.Outcome(in.Uint()), in.String()
	must(t, tx, abi.OpPut, put("write/"+id, "profile"))
	if w.value("account/id/"+id) != "-" {
		t.Error("the account was written before Commit")
	}
	before := w.revision()
	cookie := w.commit(tx)
	if outcome != abi.OutcomeOK || w.value("write/"+id) != "profile" || w.value("account/login/bob") != id || w.value("account/email/bob@example.org") != id {
		t.Errorf("outcome %d, id %q, login %q", outcome, id, w.value("account/login/bob"))
	}
	if after := w.revision(); after != before+4 {
		t.Errorf("4 records were written in revisions %d to %d", before, after)
	}
	s := w.scope()
	s.Cookies = cookie
	if a, err := w.Begin(s).Account(t.Context()); err != nil || a == nil || a.ID != id || a.Role != "student" {
		t.Errorf("the new person is not signed in: %v, %v", a, err)
	}
	if _, err := w.Accounts.Check(t.Context(), "bob", "long enough word"); err != nil {
		t.Errorf("the new person cannot sign in: %v", err)
	}
}

// revision is the newest of the records.
func (w *world) revision() kv.Revision {
	w.t.Helper()
	page, err := w.Records.Scan(context.Background(), kv.Range{Limit: 1})
	if err != nil {
		w.t.Fatal(err)
	}
	return page.Revision
}

// TestTwoSignUpsWithOneName let one in; the other learns it when it runs again.
func TestTwoSignUpsWithOneName(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.Begin(w.newcomer("bob")), w.Begin(w.newcomer("bob"))
	must(t, first, abi.OpSignUp, signUp)
	must(t, second, abi.OpSignUp, signUp)
	must(t, second, abi.OpPut, put("write/second", "x"))
	w.commit(first)
	if cookie, err := second.Commit(t.Context()); !errors.Is(err, kv.ErrConflict) || cookie != nil || w.value("write/second") != "-" {
		t.Errorf("the second sign-up: cookie %v, %v", cookie, err)
	}
	again := must(t, w.Begin(w.newcomer("bob")), abi.OpSignUp, signUp)
	if outcome := abi.Outcome(again.Uint()); outcome != abi.OutcomeLoginTaken {
		t.Errorf("run again, it gives outcome %d", outcome)
	}
}

// TestSignInHoldsFromTheCommitOn changes nothing for others before it.
func TestSignInHoldsFromTheCommitOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Cookies = w.signedIn()
	a, err := w.Begin(scope).Account(t.Context())
	if err != nil || a == nil || a.ID != abitest.Ada.ID {
		t.Fatalf("signed in as %v, %v", a, err)
	}
	out := w.Begin(scope)
	must(t, out, abi.OpSignOut, nil)
	if a, _ := w.Begin(scope).Account(t.Context()); a == nil {
		t.Error("a sign-out held before its commit")
	}
	w.commit(out)
	if a, err := w.Begin(scope).Account(t.Context()); a != nil || err != nil {
		t.Errorf("the old cookie still opens the session of %v, %v", a, err)
	}
}

// TestDisabledAccountsAreNobody disables somebody who is signed in.
func TestDisabledAccountsAreNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Cookies = w.signedIn()
	if err := w.Accounts.SetActive(t.Context(), abitest.Ada.ID, false); err != nil {
		t.Fatal(err)
	}
	tx := w.Begin(scope)
	if must(t, tx, abi.OpSignedIn, nil).Bool() || must(t, tx, abi.OpRole, nil).String() != "" || must(t, tx, abi.OpUser, nil).String() != "" {
		t.Error("a disabled account is signed in")
	}
	in := must(t, tx, abi.OpSignIn, text("l", "p"))
	if outcome := abi.Outcome(in.Uint()); outcome != abi.OutcomeInactive {
		t.Errorf("sign-in gives outcome %d", outcome)
	}
}

// TestSessionOfNoAccount shows a session whose account is gone as nobody's.
func TestSessionOfNoAccount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Cookies = w.signedIn()
	w.remove("account/id/" + abitest.Ada.ID)
	a, err := w.Begin(scope).Account(t.Context())
	if a != nil || err != nil || !strings.Contains(w.log.String(), "does not exist") {
		t.Errorf("account %v, %v, log %s", a, err, w.log.String())
	}
}

// TestRoleChangesHoldAtOnce ends the session that was begun with the old role
// and gives the next one the new role.
func TestRoleChangesHoldAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Cookies = w.signedIn()
	if err := w.Accounts.SetRole(t.Context(), abitest.Ada.ID, "instructor"); err != nil {
		t.Fatal(err)
	}
	before := w.Begin(scope)
	if role := must(t, before, abi.OpRole, nil).String(); role != "" {
		t.Errorf("a session of before has the role %q", role)
	}
	w.commit(before)
	if page, err := w.sessions.Scan(t.Context(), kv.Range{}); err != nil || len(page.Entries) > 0 {
		t.Errorf("the session of before is still stored: %v, %v", page.Entries, err)
	}
	scope.Cookies = w.signedIn()
	if role := must(t, w.Begin(scope), abi.OpRole, nil).String(); role != "instructor" {
		t.Errorf("the role is %q", role)
	}
}

// TestEveryFaultOfAnAccountHasAnOutcome makes sure that a person's mistake is
// never reported as a failure of the site.
func TestEveryFaultOfAnAccountHasAnOutcome(t *testing.T) {
	t.Parallel()
	tx := newWorld(t).Begin(Scope{Manifest: &abi.Manifest{}})
	for err, want := range map[error]abi.Outcome{
		nil: abi.OutcomeOK, auth.ErrWrong: abi.OutcomeWrong, auth.ErrInactive: abi.OutcomeInactive,
		auth.ErrLoginTaken: abi.OutcomeLoginTaken, auth.ErrEmailTaken: abi.OutcomeEmailTaken,
		auth.ErrInvalidLogin: abi.OutcomeLoginInvalid, auth.ErrInvalidEmail: abi.OutcomeEmailInvalid,
		auth.ErrPasswordShort: abi.OutcomePasswordShort, auth.ErrPasswordLong: abi.OutcomePasswordLong,
		auth.ErrPasswordCommon: abi.OutcomePasswordCommon, auth.ErrPasswordName: abi.OutcomePasswordCommon,
	} {
		if got, fault := tx.outcomeOf(err); fault != nil || got != want {
			t.Errorf("%v: outcome %d, %v; want %d", err, got, fault, want)
		}
	}
	if _, err := tx.outcomeOf(kv.ErrUnavailable); err == nil || tx.Err() == nil {
		t.Error("a failure of the store is told as an outcome")
	}
}

// TestIncludeRefusesAKeyTwice keeps what was there before.
func TestIncludeRefusesAKeyTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	tx := w.Begin(w.scope())
	if err := tx.Include([]kv.Check{kv.Absent("system/x")}, []kv.Write{kv.Put("system/x", []byte("1"))}); err != nil {
		t.Fatal(err)
	}
	if err := tx.Include(nil, []kv.Write{kv.Put("system/y", nil), kv.Put("system/x", []byte("2"))}); !errors.Is(err, kv.ErrConflict) {
		t.Errorf("the second time: %v", err)
	}
	w.commit(tx)
	if w.value("system/x") != "1" || w.value("system/y") != "-" {
		t.Errorf("stored %q and %q", w.value("system/x"), w.value("system/y"))
	}
}

// TestSecretIsNoLogin refuses to make a login or an address of a secret field,
// from where the handler could read it.
func TestSecretIsNoLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	scope := w.scope()
	scope.Form, scope.Secrets = url.Values{"p": {"a-secret-of-mine"}, "l": {"new"}, "e": {"new@example.org"}}, []string{"p"}
	for name, message := range map[string]abi.Writer{
		"login": text("p", "e", "p", "student"), "address": text("l", "p", "p", "student"),
	} {
		tx := w.Begin(scope)
		if status, _ := tx.Call(t.Context(), abi.OpSignUp, message); status != abi.StatusDenied || len(tx.Effects()) > 0 {
			t.Errorf("the secret as %s: status %d, %v", name, status, tx.Effects())
		}
	}
	if status, _ := w.Begin(scope).Call(t.Context(), abi.OpSignIn, text("p", "p")); status != abi.StatusDenied {
		t.Errorf("the secret as login at sign-in: status %d", status)
	}
	if r := must(t, w.Begin(scope), abi.OpSignUp, text("l", "e", "p", "student")); r.Uint() != uint64(abi.OutcomeOK) {
		t.Error("nobody can sign up")
	}
}
