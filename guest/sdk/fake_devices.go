//go:build !wasip1

package sdk

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lectern-lms/lectern/guest/abi"
)

// fakeThisDevice stands for the reader's own device among those that end.
const fakeThisDevice = "this device"

// may ends a message that concerns the reader's own sign-in.
func (tx *fakeTx) may(in *abi.Reader) error {
	if err := in.Done(); err != nil {
		return err
	}
	if err := tx.writable(abi.RightSignIn); err != nil {
		return err
	}
	if err := tx.reachable(); err != nil {
		return err
	}
	if tx.user.ID == "" {
		return fakeRefuse(abi.StatusDenied, "nobody is signed in: let the route require it")
	}
	return nil
}

// remember answers OpRemember.
func (tx *fakeTx) remember(in *abi.Reader) (abi.Writer, error) {
	notice := in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := tx.writable(abi.RightSignIn); err != nil {
		return nil, err
	}
	if strings.Contains(notice, "\n") {
		return nil, fakeRefuse(abi.StatusInvalid, "a notice must be one line")
	}
	if tx.fake.Settings[abi.SettingRememberDays] == "" || !tx.entered {
		return abi.Writer(nil).Bool(false), nil
	}
	tx.remembered = notice
	return abi.Writer(nil).Bool(true), nil
}

// setPassword answers OpSetPassword.
func (tx *fakeTx) setPassword(in *abi.Reader) (abi.Writer, error) {
	present, next, notice := in.String(), in.String(), in.String()
	if err := tx.may(in); err != nil {
		return nil, err
	}
	if strings.Contains(notice, "\n") || tx.entered {
		return nil, fakeRefuse(abi.StatusInvalid, "a notice must be one line, and the password is set once")
	}
	all := tx.allAccounts()
	i := slices.IndexFunc(all, func(a FakeAccount) bool { return a.User.ID == tx.user.ID })
	password := tx.form.Get(next)
	outcome := abi.OutcomeOK
	switch {
	case tx.fake.Outcome != abi.OutcomeOK:
		outcome = tx.fake.Outcome
	case len(password) > fakeMaxPassword:
		outcome = abi.OutcomePasswordLong
	case utf8.RuneCountInString(password) < fakeMinPassword:
		outcome = abi.OutcomePasswordShort
	case i < 0 || all[i].Password != tx.form.Get(present):
		outcome = abi.OutcomeWrong
	}
	if outcome == abi.OutcomeOK {
		changed := all[i]
		changed.Password = password
		tx.changed, tx.entered, tx.others = append(tx.changed, changed), true, true
		if tx.remembered != "" {
			tx.remembered = notice
		}
	}
	return tx.outcome(outcome), nil
}

// devices answers OpDevices.
func (tx *fakeTx) devices(in *abi.Reader) (abi.Writer, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	if m := tx.fake.Manifest; m != nil && !m.Allows(abi.RightSignIn) {
		return nil, fakeRefuse(abi.StatusDenied, "the manifest does not ask for the right %q", abi.RightSignIn)
	}
	if err := tx.reachable(); err != nil {
		return nil, err
	}
	if tx.user.ID == "" {
		return abi.Writer(nil).Devices(nil), nil
	}
	return abi.Writer(nil).Devices(tx.fake.Devices), nil
}

// endDevice answers OpEndDevice.
func (tx *fakeTx) endDevice(in *abi.Reader) (abi.Writer, error) {
	id := in.String()
	if err := tx.may(in); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(tx.fake.Devices, func(d abi.Device) bool { return d.ID == id })
	if i < 0 {
		return abi.Writer(nil).Bool(false), nil
	}
	if tx.fake.Devices[i].Current {
		tx.leave()
	}
	tx.ended = append(tx.ended, id)
	return abi.Writer(nil).Bool(true), nil
}

// endOthers answers OpEndOthers.
func (tx *fakeTx) endOthers(in *abi.Reader) (abi.Writer, error) {
	if err := tx.may(in); err != nil {
		return nil, err
	}
	tx.others = true
	return nil, nil
}

// commitDevices makes what concerns devices and passwords the Fake's.
func (tx *fakeTx) commitDevices() {
	f := tx.fake
	f.Remembered = tx.remembered
	for _, changed := range tx.changed {
		for i := range f.Accounts {
			if f.Accounts[i].User.ID == changed.User.ID {
				f.Accounts[i] = changed
			}
		}
	}
	f.Devices = slices.DeleteFunc(f.Devices, func(d abi.Device) bool {
		return tx.others && !d.Current || slices.Contains(tx.ended, d.ID) || d.Current && slices.Contains(tx.ended, fakeThisDevice)
	})
}
