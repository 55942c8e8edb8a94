package transaction

import (
	"context"
	"slices"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/session"
)

// ends are what is to end once the effects of a request are stored. It is
// kept apart from the session's own changes, since it concerns others.
type ends struct {
	// user is whose devices end.
	user    string
	devices []string
	// others ends all but the device of this request.
	others bool
	// password says that the account has changed, at revision account of the
	// records.
	password bool
	account  kv.Revision
}

// finish ends what is to end. When it returns nil, no process takes any of it
// for valid.
func (t *Tx) finish(ctx context.Context) error {
	e := t.ends
	if e.password {
		// All sessions of before have ended with this; what follows cleans up.
		if err := t.world.Accounts.Fence(ctx, e.account); err != nil {
			return err
		}
	}
	for _, id := range e.devices {
		if _, err := t.world.Sessions.Revoke(ctx, e.user, id); err != nil {
			return err
		}
	}
	if !e.others {
		return nil
	}
	return t.world.Sessions.RevokeUser(ctx, e.user, t.session.Device())
}

// unsaved is the error of a request whose session could not be stored. After
// a change of the password it is none: that is done and has ended all sessions,
// this one too, so the reader signs in with the new one. To say that nothing
// was changed would be wrong.
func (t *Tx) unsaved(ctx context.Context, err error) error {
	if !t.ends.password {
		return err
	}
	t.world.Logger.Warn("the password was changed, and the session has ended with the others: the store of sessions failed",
		"request_id", t.scope.RequestID, "error", err.Error())
	return t.world.Accounts.Fence(ctx, t.ends.account)
}

// own is the session and account of a reader who may change their own
// sign-in. It ends the message.
func (t *Tx) own(ctx context.Context, in *abi.Reader) (*session.Session, *auth.Account, error) {
	s, err := t.changeable(ctx, in, abi.RightSignIn)
	if err != nil {
		return nil, nil, err
	}
	account, err := t.Account(ctx)
	if err != nil {
		return nil, nil, err
	}
	if account == nil {
		return nil, nil, refuse(abi.StatusDenied, "nobody is signed in: let the route require it")
	}
	return s, account, nil
}

// devices answers OpDevices.
func (t *Tx) devices(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	if err := in.Done(); err != nil {
		return nil, err
	}
	if !t.scope.Manifest.Allows(abi.RightSignIn) {
		return nil, refuse(abi.StatusDenied, "the manifest does not ask for the right %q", abi.RightSignIn)
	}
	account, err := t.Account(ctx)
	if err != nil {
		return nil, err
	}
	if account == nil {
		return abi.Writer(nil).Devices(nil), nil
	}
	list, err := t.world.Sessions.List(ctx, account.ID)
	if err != nil {
		return nil, t.failed(err)
	}
	var shown []abi.Device
	for _, d := range list {
		shown = append(shown, abi.Device{
			ID: d.ID, Browser: d.Client.Browser, System: d.Client.System, Place: d.Client.Place,
			Created: d.Created.Unix(), Seen: d.Seen.Unix(), Remembered: d.Remembered, Current: d.ID == t.session.Device(),
		})
	}
	return abi.Writer(nil).Devices(shown), nil
}

// endDevice answers OpEndDevice. To end the device of the request itself is
// to sign out.
func (t *Tx) endDevice(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	id := in.String()
	s, account, err := t.own(ctx, in)
	if err != nil {
		return nil, err
	}
	if id != "" && id == s.Device() {
		s.SignOut()
		t.account, t.loaded = nil, true
		t.change(EffectSignOut, "")
		return abi.Writer(nil).Bool(true), nil
	}
	list, err := t.world.Sessions.List(ctx, account.ID)
	if err != nil {
		return nil, t.failed(err)
	}
	if !slices.ContainsFunc(list, func(d session.Device) bool { return d.ID == id }) {
		return abi.Writer(nil).Bool(false), nil
	}
	t.ends.user, t.ends.devices = account.ID, append(t.ends.devices, id)
	t.change(EffectEndDevice, id)
	return abi.Writer(nil).Bool(true), nil
}

// endOthers answers OpEndOthers.
func (t *Tx) endOthers(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	_, account, err := t.own(ctx, in)
	if err != nil {
		return nil, err
	}
	t.ends.user, t.ends.others = account.ID, true
	t.change(EffectEndDevice, "")
	return nil, nil
}
