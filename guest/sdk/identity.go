package sdk

import (
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

// User is who is signed in.
type User struct {
	// ID never changes; records about a person carry it in their keys.
	ID    string
	Login string
	Email string
}

// SignedIn reports whether somebody is signed in. Ask this, not User, where
// it is all that the page depends on.
func (r *Request) SignedIn() bool { return must(abi.OpSignedIn, nil).Bool() }

// Role is the role of who is signed in, or "".
func (r *Request) Role() string { return must(abi.OpRole, nil).String() }

// User is who is signed in; its ID is "" if nobody is.
func (r *Request) User() User {
	a := must(abi.OpUser, nil)
	return User{ID: a.String(), Login: a.String(), Email: a.String()}
}

// SignIn signs in by the form fields of these names. The host reads the
// password itself; the handler never sees it. If the outcome is
// OutcomeThrottled, wait says how long until the next attempt is let in. Needs
// the right "sign-in".
func (r *Request) SignIn(loginField, passwordField string) (o Outcome, wait time.Duration, err error) {
	return outcomeAndWait(ask(abi.OpSignIn, abi.Writer(nil).String(loginField).String(passwordField)))
}

// Remember has this device sign in by itself from now on; call it in the
// request that signs in, when the reader has asked for it. If the device's
// token is ever stolen, all devices of the reader that do so are signed out, and
// notice (as for Notify) is shown to them at their next sign-in. It reports
// whether the site offers it; see SettingRememberDays. Needs the right
// "sign-in".
func (r *Request) Remember(notice string) (bool, error) {
	a, err := ask(abi.OpRemember, abi.Writer(nil).String(notice))
	if err != nil {
		return false, err
	}
	return a.Bool(), nil
}

// SetPassword gives the reader a new password by the form fields of these
// names and signs all of their other devices out. The present password is
// checked and limited as by SignIn. The notice is that of Remember, for a
// device that is remembered. Needs the right "sign-in" and a route that
// requires it to be signed in.
func (r *Request) SetPassword(presentField, newField, notice string) (o Outcome, wait time.Duration, err error) {
	m := abi.Writer(nil).String(presentField).String(newField).String(notice)
	return outcomeAndWait(ask(abi.OpSetPassword, m))
}

// outcomeAndWait reads the answer of the calls that check a password.
func outcomeAndWait(a *abi.Reader, err error) (Outcome, time.Duration, error) {
	if err != nil {
		return 0, 0, err
	}
	return abi.Outcome(a.Uint()), time.Duration(a.Uint()) * time.Second, nil
}

// Device is one device on which the reader is signed in.
type Device = abi.Device

// Devices lists where the reader is signed in, the last used first. A page
// that asks for it is not cached. Needs the right "sign-in".
func (r *Request) Devices() ([]Device, error) {
	a, err := ask(abi.OpDevices, nil)
	if err != nil {
		return nil, err
	}
	return a.Devices(), nil
}

// EndDevice signs one of the reader's devices out, this one included, and
// reports whether there is one of this id. Needs the right "sign-in".
func (r *Request) EndDevice(id string) (bool, error) {
	a, err := ask(abi.OpEndDevice, abi.Writer(nil).String(id))
	if err != nil {
		return false, err
	}
	return a.Bool(), nil
}

// EndOtherDevices signs all of the reader's devices out but this one. Needs
// the right "sign-in".
func (r *Request) EndOtherDevices() error {
	_, err := ask(abi.OpEndOthers, nil)
	return err
}

// SignUp creates an account from the form fields of these names and signs it
// in, together with everything else that this request writes. It returns the
// new user's id. Needs the right "sign-up".
func (r *Request) SignUp(loginField, emailField, passwordField, role string) (abi.Outcome, string, error) {
	m := abi.Writer(nil).String(loginField).String(emailField).String(passwordField).String(role)
	return outcomeAndID(ask(abi.OpSignUp, m))
}

// CreateAccount makes an account from literal values. Needs the right
// "setup", which the host grants only while it fills an empty store.
func (r *Request) CreateAccount(login, email, password, role string) (abi.Outcome, string, error) {
	m := abi.Writer(nil).String(login).String(email).String(password).String(role)
	return outcomeAndID(ask(abi.OpCreateAccount, m))
}

// SignOut ends the session everywhere.
func (r *Request) SignOut() error {
	_, err := ask(abi.OpSignOut, nil)
	return err
}

// outcomeAndID reads the answer of the calls that make accounts.
func outcomeAndID(a *abi.Reader, err error) (abi.Outcome, string, error) {
	if err != nil {
		return 0, "", err
	}
	return abi.Outcome(a.Uint()), a.String(), nil
}

// SessionValue is a value of the reader's session, or "".
func (r *Request) SessionValue(name string) string {
	a := must(abi.OpSessionGet, abi.Writer(nil).String(name))
	a.Bool()
	return a.String()
}

// SetSessionValue changes the reader's session, which begins with the first
// value. It is the one thing that a GET may not do either.
func (r *Request) SetSessionValue(name, value string) error {
	_, err := ask(abi.OpSessionSet, abi.Writer(nil).String(name).String(value))
	return err
}

// DeleteSessionValue removes a value from the reader's session.
func (r *Request) DeleteSessionValue(name string) error {
	_, err := ask(abi.OpSessionDelete, abi.Writer(nil).String(name))
	return err
}

// Notify leaves a short text for the next page that this reader sees.
func (r *Request) Notify(text string) error {
	_, err := ask(abi.OpNotify, abi.Writer(nil).String(text))
	return err
}

// Notices takes the texts that Notify left; each is given once.
func (r *Request) Notices() []string { return must(abi.OpNotices, nil).Strings() }
