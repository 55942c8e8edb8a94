package auth

import (
	"context"
	"errors"
	"fmt"

	"github.com/lectern-lms/lectern/kv"
)

// changeTries bounds the changes of one account that get in each other's way.
const changeTries = 20

// SetPassword gives an account a new password under the rules of [ErrWeak]
// and ends its sessions. ErrUnknown if there is no such account.
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
	return a.change(ctx, id, func(rec *stored) { rec.hash = hash; rec.Generation++ })
}

// PreparePassword gives a signed-in account a new password if the one in t is
// its present one, which is checked and limited as by SignIn. It returns the
// account as it will be and what makes it so, for the caller to commit with
// other records; Fence then makes sure that all processes know. If the commit
// fails with kv.ErrConflict, call it again.
func (a *Auth) PreparePassword(ctx context.Context, id string, t Attempt, password string) (Account, []kv.Check, []kv.Write, error) {
	rec, rev, err := a.load(ctx, id)
	if err != nil {
		return Account{}, nil, nil, err
	}
	if err := checkPassword(password, rec.Login, rec.Email, false); err != nil {
		return Account{}, nil, nil, err
	}
	if _, err := a.limited(ctx, "id "+id, rec.Account, t, func() (Account, error) { return rec.Account, a.matches(ctx, rec, t.Password) }); err != nil {
		return Account{}, nil, nil, err
	}
	if rec.hash, err = a.hasher.hash(ctx, password); err != nil {
		return Account{}, nil, nil, fmt.Errorf("auth: gave up waiting to hash a password: %w", err)
	}
	rec.Generation++
	return rec.Account, []kv.Check{kv.Unchanged(idKey(id), rev)}, []kv.Write{kv.Put(idKey(id), rec.encode())}, nil
}

// matches is ErrWrong unless a password is that of an account.
func (a *Auth) matches(ctx context.Context, rec stored, password string) error {
	if len(password) > MaxPassword {
		return ErrWrong
	}
	ok, err := a.hasher.verify(ctx, rec.hash, password)
	if err != nil {
		return fmt.Errorf("auth: gave up waiting to check a password: %w", err)
	}
	if !ok {
		return ErrWrong
	}
	return nil
}

// SetActive allows or forbids an account to sign in; to forbid it ends its
// sessions.
func (a *Auth) SetActive(ctx context.Context, id string, active bool) error {
	return a.change(ctx, id, func(rec *stored) {
		if rec.Active && !active {
			rec.Generation++
		}
		rec.Active = active
	})
}

// EndSessions signs an account out everywhere.
func (a *Auth) EndSessions(ctx context.Context, id string) error {
	return a.change(ctx, id, func(rec *stored) { rec.Generation++ })
}

// SetRole gives an account another role. Its sessions end, since an id that
// was good for less must not be good for more, nor the other way round.
func (a *Auth) SetRole(ctx context.Context, id, role string) error {
	if err := checkRole(role); err != nil {
		return err
	}
	return a.change(ctx, id, func(rec *stored) {
		if rec.Role != role {
			rec.Generation++
		}
		rec.Role = role
	})
}

// change edits the newest record of an account, again if another change came
// between. When it returns nil no process takes the account for what it was.
func (a *Auth) change(ctx context.Context, id string, edit func(*stored)) error {
	for range changeTries {
		rec, rev, err := a.load(ctx, id)
		if err != nil {
			return err
		}
		edit(&rec)
		rev, err = a.store.Commit(ctx,
			[]kv.Check{kv.Unchanged(idKey(id), rev)}, []kv.Write{kv.Put(idKey(id), rec.encode())})
		if err == nil {
			return a.Fence(ctx, rev)
		}
		if !errors.Is(err, kv.ErrConflict) {
			return fmt.Errorf("auth: cannot store account %s: %w", id, err)
		}
	}
	return fmt.Errorf("auth: account %s changes too fast: %w", id, kv.ErrConflict)
}

// Fence returns when no process answers any more with an account as it was
// before revision rev of the store.
func (a *Auth) Fence(ctx context.Context, rev kv.Revision) error {
	f, ok := a.store.(kv.Fencer)
	if !ok || rev == 0 {
		return nil
	}
	if err := f.Fence(ctx, rev); err != nil {
		return fmt.Errorf("auth: cannot make sure that every process knows of the change: %w", err)
	}
	return nil
}
