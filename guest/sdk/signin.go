package sdk

import (
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
)

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
