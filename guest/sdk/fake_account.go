//go:build !wasip1

package sdk

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/lectern-lms/lectern/guest/abi"
)

// The host's limits of passwords: characters at least, bytes at most.
const (
	fakeMinPassword = 8
	fakeMaxPassword = 1000
)

// signedIn answers OpSignedIn.
func (tx *fakeTx) signedIn(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).Bool(tx.user.ID != ""), in.Done()
}

// readRole answers OpRole.
func (tx *fakeTx) readRole(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(tx.role), in.Done()
}

// readUser answers OpUser.
func (tx *fakeTx) readUser(in *abi.Reader) (abi.Writer, error) {
	return abi.Writer(nil).String(tx.user.ID).String(tx.user.Login).String(tx.user.Email), in.Done()
}

// enter signs an account in. Values of another person's session are dropped.
func (tx *fakeTx) enter(a FakeAccount) {
	if before := tx.fake.User.ID; before != "" && before != a.User.ID {
		clear(tx.session)
	}
	tx.user, tx.role = a.User, a.Role
}

// signIn answers OpSignIn.
func (tx *fakeTx) signIn(in *abi.Reader) (abi.Writer, error) {
	login, password := in.String(), in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(abi.RightSignIn); err != nil {
		return nil, err
	}
	if err := tx.reachable(); err != nil {
		return nil, err
	}
	outcome := tx.fake.Outcome
	if outcome == abi.OutcomeOK {
		outcome = tx.check(tx.form.Get(login), tx.form.Get(password))
	}
	tx.entered = tx.entered || outcome == abi.OutcomeOK
	return tx.outcome(outcome), nil
}

// outcome is the answer of the operations that check a password.
func (tx *fakeTx) outcome(o abi.Outcome) abi.Writer {
	wait := uint64(0)
	if o == abi.OutcomeThrottled {
		wait = uint64(tx.fake.Wait / time.Second)
	}
	return abi.Writer(nil).Uint(uint64(o)).Uint(wait)
}

// check looks for an account and signs it in.
func (tx *fakeTx) check(login, password string) abi.Outcome {
	for _, a := range tx.allAccounts() {
		if (a.User.Login != login && a.User.Email != login) || login == "" || a.Password != password {
			continue
		}
		if a.Inactive {
			return abi.OutcomeInactive
		}
		tx.enter(a)
		return abi.OutcomeOK
	}
	return abi.OutcomeWrong
}

// signUp answers OpSignUp.
func (tx *fakeTx) signUp(in *abi.Reader) (abi.Writer, error) {
	login, email, password, role := in.String(), in.String(), in.String(), in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(abi.RightSignUp); err != nil {
		return nil, err
	}
	if role == abi.RoleAdmin {
		return nil, fakeRefuse(abi.StatusDenied, "nobody signs up with the role %q", role)
	}
	a, outcome, err := tx.create(tx.form.Get(login), tx.form.Get(email), tx.form.Get(password), role)
	if err != nil {
		return nil, err
	}
	if outcome == abi.OutcomeOK {
		tx.enter(a)
		tx.entered = true
	}
	return abi.Writer(nil).Uint(uint64(outcome)).String(a.User.ID), nil
}

// createAccount answers OpCreateAccount.
func (tx *fakeTx) createAccount(in *abi.Reader) (abi.Writer, error) {
	login, email, password, role := in.String(), in.String(), in.String(), in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(abi.RightSetup); err != nil {
		return nil, err
	}
	if !tx.fake.Setup {
		return nil, fakeRefuse(abi.StatusDenied, "accounts are created only while an empty store is filled")
	}
	a, outcome, err := tx.create(login, email, password, role)
	return abi.Writer(nil).Uint(uint64(outcome)).String(a.User.ID), err
}

// create makes an account by the host's main rules; the finer ones, such as
// the common passwords, are the host's own. Set Fake.Outcome to meet those.
func (tx *fakeTx) create(login, email, password, role string) (FakeAccount, abi.Outcome, error) {
	if role == "" || strings.Trim(role, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		return FakeAccount{}, 0, fakeRefuse(abi.StatusInvalid, "the role %q is no word of small letters", role)
	}
	if err := tx.reachable(); err != nil {
		return FakeAccount{}, 0, err
	}
	if outcome := tx.judge(login, email, password); outcome != abi.OutcomeOK {
		return FakeAccount{}, outcome, nil
	}
	tx.fake.ids++
	a := FakeAccount{User: User{ID: fmt.Sprintf("user-%d", tx.fake.ids), Login: login, Email: email}, Password: password, Role: role}
	tx.accounts = append(tx.accounts, a)
	return a, abi.OutcomeOK, nil
}

// judge tells what is wrong with a new account.
func (tx *fakeTx) judge(login, email, password string) abi.Outcome {
	switch {
	case tx.fake.Outcome != abi.OutcomeOK:
		return tx.fake.Outcome
	case email != "" && !strings.Contains(email, "@"):
		return abi.OutcomeEmailInvalid
	case login == "" || strings.ContainsAny(login, " /<>"):
		return abi.OutcomeLoginInvalid
	case len(password) > fakeMaxPassword:
		return abi.OutcomePasswordLong
	case utf8.RuneCountInString(password) < fakeMinPassword:
		return abi.OutcomePasswordShort
	}
	for _, a := range tx.allAccounts() {
		if a.User.Login == login {
			return abi.OutcomeLoginTaken
		}
		if email != "" && a.User.Email == email {
			return abi.OutcomeEmailTaken
		}
	}
	return abi.OutcomeOK
}

// signOut answers OpSignOut: the session is gone with all its values.
func (tx *fakeTx) signOut(in *abi.Reader) (abi.Writer, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(abi.RightSignIn); err != nil {
		return nil, err
	}
	tx.leave()
	return nil, nil
}

// leave ends the session with all its values.
func (tx *fakeTx) leave() {
	clear(tx.session)
	tx.user, tx.role, tx.remembered = User{}, "", ""
	tx.ended = append(tx.ended, fakeThisDevice)
}
