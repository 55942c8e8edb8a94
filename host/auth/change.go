package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/lectern-lms/lectern/kv"
)

// changeTries bounds the changes of one account that get in each other's way.
const changeTries = 20

// SetPassword gives an account a new password under the rules of [ErrWeak].
// The caller then ends the user's sessions. ErrUnknown if there is no such
// account.
func (a *Auth) SetPassword(ctx context.Context, id, password string) error {
	rec, _, err := a.load(ctx, id)
	if err != nil {
		return err
	}
	if err := checkPassword(password, rec.Login, rec.Email, false); err != nil {
		return err
	}
	hash, err := a.hasher.hash(ctx, password)
	if err != nil {
		return fmt.Errorf("auth: gave up waiting to hash a password: %w", err)
	}
	return a.change(ctx, id, func(rec *stored) { rec.hash = hash })
}

// SetActive allows or forbids an account to sign in. The caller ends the
// user's sessions.
func (a *Auth) SetActive(ctx context.Context, id string, active bool) error {
	return a.change(ctx, id, func(rec *stored) { rec.Active = active })
}

// SetRole gives an account another role. The caller renews or ends the user's
// sessions.
func (a *Auth) SetRole(ctx context.Context, id, role string) error {
	if err := checkRole(role); err != nil {
		return err
	}
	return a.change(ctx, id, func(rec *stored) { rec.Role = role })
}

// change edits the newest record of an account, again if another change came
// between.
func (a *Auth) change(ctx context.Context, id string, edit func(*stored)) error {
	for range changeTries {
		rec, rev, err := a.load(ctx, id)
		if err != nil {
			return err
		}
		edit(&rec)
		_, err = a.store.Commit(ctx,
			[]kv.Check{kv.Unchanged(idKey(id), rev)}, []kv.Write{kv.Put(idKey(id), rec.encode())})
		if err == nil {
			return nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return fmt.Errorf("auth: cannot store account %s: %w", id, err)
		}
	}
	return fmt.Errorf("auth: account %s changes too fast: %w", id, kv.ErrConflict)
}
