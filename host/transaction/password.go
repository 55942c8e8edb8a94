package transaction

import (
	"context"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// remember answers OpRemember.
func (t *Tx) remember(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	notice := in.String()
	s, err := t.changeable(ctx, in, abi.RightSignIn)
	if err != nil {
		return nil, err
	}
	if err := checkNotice(notice); err != nil {
		return nil, err
	}
	if !t.world.Sessions.Remembers() || !t.has(EffectSignIn, "") && !t.has(EffectSignUp, "") {
		return abi.Writer(nil).Bool(false), nil
	}
	if err := s.Remember(notice); err != nil {
		return nil, err
	}
	t.change(EffectRemember, "")
	return abi.Writer(nil).Bool(true), nil
}

// checkNotice refuses a notice that would look like several.
func checkNotice(text string) error {
	if strings.Contains(text, "\n") {
		return refuse(abi.StatusInvalid, "a notice must be one line")
	}
	return nil
}

// setPassword answers OpSetPassword: the account's new record joins the
// request's writes, and the session goes on under a new id.
func (t *Tx) setPassword(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	present, next, notice := in.String(), in.String(), in.String()
	s, account, err := t.own(ctx, in)
	if err != nil {
		return nil, err
	}
	if err := checkNotice(notice); err != nil {
		return nil, err
	}
	if t.has(EffectPassword, "") || t.has(EffectSignIn, "") || t.has(EffectSignUp, "") {
		return nil, refuse(abi.StatusInvalid, "the password is set once in a request, and not by one that signs in")
	}
	attempt := t.attempt("", present)
	changed, checks, writes, err := t.world.Accounts.PreparePassword(ctx, account.ID, attempt, t.scope.Form.Get(next))
	wait := waitOf(err)
	outcome, err := t.outcomeOf(err)
	if err != nil {
		return nil, err
	}
	if outcome == abi.OutcomeOK {
		if err := t.Include(checks, writes); err != nil {
			return nil, err
		}
		remembered := s.Remembered()
		t.enter(s, changed)
		if remembered {
			if err := s.Remember(notice); err != nil {
				return nil, err
			}
		}
		t.ends.user, t.ends.others, t.ends.password = account.ID, true, true
		t.change(EffectPassword, "")
	}
	return abi.Writer(nil).Uint(uint64(outcome)).Uint(wait), nil
}
