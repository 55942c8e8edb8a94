package auth

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/lectern-lms/lectern/kv"
)

// The errors of an account that exists already.
var (
	// ErrTaken says that a login, e-mail address or id belongs to an account.
	ErrTaken = errors.New("auth: taken")
	// ErrLoginTaken says that it is the login; it wraps ErrTaken.
	ErrLoginTaken = fmt.Errorf("%w: the login belongs to another account", ErrTaken)
	// ErrEmailTaken says that it is the e-mail address; it wraps ErrTaken.
	ErrEmailTaken = fmt.Errorf("%w: the e-mail address belongs to another account", ErrTaken)
	// ErrIDTaken says that it is the given id; it wraps ErrTaken.
	ErrIDTaken = fmt.Errorf("%w: an account has this id", ErrTaken)
)

// createTries bounds Create if accounts under its names come and go.
const createTries = 5

// Prepare checks and hashes everything about a new account and returns the
// checks and writes that create it, for the caller to commit, with other
// records if need be. If that commit fails with kv.ErrConflict, call Prepare
// again: it then says what is taken.
func (a *Auth) Prepare(ctx context.Context, n NewAccount) (Account, []kv.Check, []kv.Write, error) {
	rec, err := newRecord(n)
	if err != nil {
		return Account{}, nil, nil, err
	}
	claims := rec.claims()
	// Before the costly hash, and because a conflict alone does not say which.
	if err := a.checkFree(ctx, claims); err != nil {
		return Account{}, nil, nil, err
	}
	if rec.hash, err = a.hasher.hash(ctx, n.Password); err != nil {
		return Account{}, nil, nil, fmt.Errorf("auth: gave up waiting to hash a password: %w", err)
	}
	var checks []kv.Check
	writes := []kv.Write{kv.Put(idKey(rec.ID), rec.encode())}
	for _, c := range claims {
		checks = append(checks, kv.Absent(c.key))
		if c.key != idKey(rec.ID) {
			writes = append(writes, kv.Put(c.key, []byte(rec.ID)))
		}
	}
	return rec.Account, checks, writes, nil
}

// claim is a key that an account must be the only one to have, and the error
// if another has it.
type claim struct {
	key   string
	taken error
}

// claims lists the keys of an account, in the order in which they are reported.
func (s stored) claims() []claim {
	list := []claim{{idKey(s.ID), ErrIDTaken}, {loginKey(s.Login), ErrLoginTaken}}
	if s.Email != "" {
		list = append(list, claim{emailKey(s.Email), ErrEmailTaken})
	}
	return list
}

// newRecord checks a new account and brings it into normal form; the hash is
// still missing.
func newRecord(n NewAccount) (stored, error) {
	login, email, err := normalNames(n.Login, n.Email)
	if err != nil {
		return stored{}, err
	}
	if err := checkRole(n.Role); err != nil {
		return stored{}, err
	}
	if err := checkPassword(n.Password, login, email, n.AllowWeak); err != nil {
		return stored{}, err
	}
	now := time.Now()
	if n.ID == "" {
		n.ID = ulid.MustNew(ulid.Timestamp(now), rand.Reader).String()
	}
	if !validID(n.ID) || n.ID == nobody {
		return stored{}, ErrInvalidID
	}
	return stored{Account: Account{
		ID: n.ID, Login: login, Email: email, Role: n.Role, Active: !n.Inactive,
		Created: now.UTC().Truncate(time.Second),
	}}, nil
}

// checkFree returns the error of the first key that exists.
func (a *Auth) checkFree(ctx context.Context, claims []claim) error {
	for _, c := range claims {
		_, err := a.store.Get(ctx, c.key)
		if err == nil {
			return c.taken
		}
		if !errors.Is(err, kv.ErrNotFound) {
			return fmt.Errorf("auth: cannot look up a name: %w", err)
		}
	}
	return nil
}

// Create makes an account in a commit of its own.
func (a *Auth) Create(ctx context.Context, n NewAccount) (Account, error) {
	for range createTries {
		acc, checks, writes, err := a.Prepare(ctx, n)
		if err != nil {
			return Account{}, err
		}
		_, err = a.store.Commit(ctx, checks, writes)
		if err == nil {
			return acc, nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return Account{}, fmt.Errorf("auth: cannot store the account: %w", err)
		}
	}
	return Account{}, fmt.Errorf("auth: cannot store the account: %w", kv.ErrConflict)
}
