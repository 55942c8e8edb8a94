package transaction

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/session"
)

// outcomes says how the faults of package auth are told to a handler.
var outcomes = []struct {
	err     error
	outcome abi.Outcome
}{
	{auth.ErrWrong, abi.OutcomeWrong},
	{auth.ErrInactive, abi.OutcomeInactive},
	{auth.ErrLoginTaken, abi.OutcomeLoginTaken},
	{auth.ErrEmailTaken, abi.OutcomeEmailTaken},
	{auth.ErrInvalidLogin, abi.OutcomeLoginInvalid},
	{auth.ErrInvalidEmail, abi.OutcomeEmailInvalid},
	{auth.ErrPasswordShort, abi.OutcomePasswordShort},
	{auth.ErrPasswordLong, abi.OutcomePasswordLong},
	{auth.ErrWeak, abi.OutcomePasswordCommon},
	{auth.ErrThrottled, abi.OutcomeThrottled},
}

// outcomeOf tells a person's mistake from a failure, which stays an error.
func (t *Tx) outcomeOf(err error) (abi.Outcome, error) {
	if err == nil {
		return abi.OutcomeOK, nil
	}
	for _, o := range outcomes {
		if errors.Is(err, o.err) {
			return o.outcome, nil
		}
	}
	return 0, t.failed(err)
}

// signIn checks the login and password of the posted form. The new session is
// part of the request's effects: it begins when they are committed.
func (t *Tx) signIn(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	login, password := in.String(), in.String()
	s, err := t.changeable(ctx, in, abi.RightSignIn)
	if err != nil {
		return nil, err
	}
	if err := t.open(login); err != nil {
		return nil, err
	}
	account, err := t.world.Accounts.SignIn(ctx, t.attempt(login, password))
	wait := waitOf(err)
	outcome, err := t.outcomeOf(err)
	if err != nil {
		return nil, err
	}
	if outcome == abi.OutcomeOK {
		t.enter(s, account)
		if err := t.warn(ctx, s); err != nil {
			return nil, err
		}
		t.change(EffectSignIn, "")
	}
	return abi.Writer(nil).Uint(uint64(outcome)).Uint(wait), nil
}

// attempt is a try to sign in by form fields.
func (t *Tx) attempt(login, password string) auth.Attempt {
	return auth.Attempt{
		Login: t.scope.Form.Get(login), Password: t.scope.Form.Get(password),
		Address: t.scope.Address, Device: t.scope.Device,
	}
}

// waitOf is for how many seconds a throttled attempt must wait, 0 for all else.
func waitOf(err error) uint64 {
	var refused auth.Throttled
	if !errors.As(err, &refused) {
		return 0
	}
	return uint64((refused.Wait + time.Second - 1) / time.Second)
}

// enter makes the session an account's, and the browser known to it.
func (t *Tx) enter(s *session.Session, account auth.Account) {
	s.SignIn(account.ID, account.Generation)
	t.account, t.loaded = &account, true
	t.device = t.world.Accounts.KnownDevice(t.scope.Device, account)
}

// warn shows who signs in what has waited for them since a theft.
func (t *Tx) warn(ctx context.Context, s *session.Session) error {
	notice, err := t.world.Sessions.Warning(ctx, s)
	if err != nil {
		return t.failed(err)
	}
	if notice == "" {
		return nil
	}
	return addNotice(s, notice)
}

// open refuses a secret field where its value would become a login or an
// address: these can be read by OpUser, and so would the secret.
func (t *Tx) open(fields ...string) error {
	for _, name := range fields {
		if slices.Contains(t.scope.Secrets, name) {
			return refuse(abi.StatusDenied, "the field %.80q is secret and can only be a password", name)
		}
	}
	return nil
}

// signUp prepares a new account and signs it in.
func (t *Tx) signUp(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	login, email, password, role := in.String(), in.String(), in.String(), in.String()
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := t.writable(abi.RightSignUp); err != nil {
		return nil, err
	}
	if err := t.open(login, email); err != nil {
		return nil, err
	}
	if role == abi.RoleAdmin {
		return nil, refuse(abi.StatusDenied, "nobody signs up with the role %q: another administrator gives it", role)
	}
	s, err := t.load(ctx)
	if err != nil {
		return nil, err
	}
	form := t.scope.Form
	account, outcome, err := t.prepare(ctx, auth.NewAccount{
		Login: form.Get(login), Email: form.Get(email), Password: form.Get(password), Role: role,
	})
	if err != nil {
		return nil, err
	}
	if outcome == abi.OutcomeOK {
		t.enter(s, account)
		t.change(EffectSignUp, "")
	}
	return abi.Writer(nil).Uint(uint64(outcome)).String(account.ID), nil
}

// createAccount prepares an account of the demo site at the first start.
func (t *Tx) createAccount(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	n := auth.NewAccount{Login: in.String(), Email: in.String(), Password: in.String(), Role: in.String(), AllowWeak: true}
	if err := in.Done(); err != nil {
		return nil, err
	}
	if err := t.writable(abi.RightSetup); err != nil {
		return nil, err
	}
	if !t.scope.Setup {
		return nil, refuse(abi.StatusDenied, "accounts are created only while an empty store is filled")
	}
	account, outcome, err := t.prepare(ctx, n)
	if err != nil {
		return nil, err
	}
	if outcome == abi.OutcomeOK {
		t.change(EffectAccount, account.Login)
	}
	return abi.Writer(nil).Uint(uint64(outcome)).String(account.ID), nil
}

// prepare adds the creation of an account to the request's effects.
func (t *Tx) prepare(ctx context.Context, n auth.NewAccount) (auth.Account, abi.Outcome, error) {
	account, checks, writes, err := t.world.Accounts.Prepare(ctx, n)
	outcome, err := t.outcomeOf(err)
	if err != nil || outcome != abi.OutcomeOK {
		return auth.Account{}, outcome, err
	}
	if err := t.Include(checks, writes); err != nil {
		return auth.Account{}, abi.OutcomeLoginTaken, nil
	}
	return account, outcome, nil
}

// Include adds the host's own checks and writes to the request's effects. The
// error wraps kv.ErrConflict if one of the keys is written already, such as
// the login of another account that this request makes.
func (t *Tx) Include(checks []kv.Check, writes []kv.Write) error {
	for _, w := range writes {
		if slices.ContainsFunc(t.extra, func(old kv.Write) bool { return old.Key == w.Key }) {
			return fmt.Errorf("%w: this request writes %q already", kv.ErrConflict, w.Key)
		}
	}
	t.checks = append(t.checks, checks...)
	t.extra = append(t.extra, writes...)
	return nil
}

// signOut answers OpSignOut.
func (t *Tx) signOut(ctx context.Context, in *abi.Reader) (abi.Writer, error) {
	s, err := t.changeable(ctx, in, abi.RightSignIn)
	if err != nil {
		return nil, err
	}
	s.SignOut()
	t.account, t.loaded = nil, true
	t.change(EffectSignOut, "")
	return nil, nil
}
