// Package auth keeps accounts and their passwords. It is native code in the
// host because a password or its hash must never enter a sandbox: handlers
// learn who somebody is, never how they proved it.
//
// An account is three keys in the records bucket: "account/id/<id>" holds the
// record with the password's hash, "account/login/<login>" and
// "account/email/<e-mail>" hold the id and make both unique, since the commit
// that creates an account checks that they are absent. No handler may be given
// the right to read or write the prefix [Prefix].
//
// # Names
//
// People sign in by login or e-mail address. Both are compared in lower case
// and Unicode form NFKC. A login with an "@" must be the account's own e-mail
// address, so nobody can take another's address as login.
//
// # Passwords
//
// Hashes are argon2id with the parameters that OWASP recommends (19 MiB, two
// passes, one lane), in the PHC string format. A hash with other parameters
// is verified as it is and replaced at the next sign-in. At most as many
// hashes are computed at once as there are processors, so that a crowd at the
// door waits and does not exhaust the memory. An unknown name costs the same
// work as a wrong password.
//
// # Attempts
//
// [Auth.SignIn] limits failed attempts by person and address, by person, and
// by address, and exempts devices on which the person has signed in before;
// limit.go has the numbers. They are in the store, so all nodes share them.
//
// # What the caller does
//
// Compare Account.Generation with that of the session at each request, which
// is what ends sessions after SetPassword, SetRole and SetActive; decide who may
// choose a role.
package auth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"runtime"

	"github.com/lectern-lms/lectern/kv"
)

// Prefix is what the keys of all accounts start with.
const Prefix = "account/"

// The errors of signing in and of looking up; test with [errors.Is]. A failure
// of the store comes as it is, and an ended context as its error.
var (
	// ErrWrong says that there is no such account or that the password is
	// not its; which of the two is nobody's business.
	ErrWrong = errors.New("auth: wrong login or password")
	// ErrInactive says that the password is right and the account disabled.
	ErrInactive = errors.New("auth: the account is not active")
	// ErrUnknown says that there is no account with this id or login.
	ErrUnknown = errors.New("auth: no such account")
)

// Options tune an Auth; the zero value is right for production.
type Options struct {
	// Params are those of new hashes; OWASP's unless set. Only tests have a
	// reason to choose cheaper ones.
	Params Params
	// Concurrency is the most hashes computed at once; the number of
	// processors that this process may use unless set.
	Concurrency int
	// Limits is the store that counts failed attempts, best that of the
	// sessions, since the records come and go; the accounts' own unless set.
	Limits kv.Store
	// Keys sign the cookies of known devices; the first signs, all verify.
	// Without one no device is known.
	Keys [][]byte
	// Secure sends those cookies over TLS only.
	Secure bool
	// Logger gets the accounts, by id, whose hash was renewed or could not be;
	// slog's default unless set.
	Logger *slog.Logger
}

// Auth manages the accounts in one store. It may be used by many goroutines.
type Auth struct {
	store  kv.Store
	limits kv.Store
	hasher *hasher
	log    *slog.Logger
	// deviceKeys and secure are for the cookies of known devices.
	deviceKeys [][]byte
	secure     bool
	// slots hold one token per attempt on the accounts that share one.
	slots []chan struct{}
	seed  maphash.Seed
	// dummy is verified in place of the hash of an account that does not exist.
	dummy phc
}

// New returns an Auth over the bucket that holds the records. It panics if
// Options.Params are out of the bounds that stored hashes must keep.
func New(store kv.Store, opts Options) *Auth {
	if opts.Params == (Params{}) {
		opts.Params = owasp
	}
	if opts.Concurrency <= 0 {
		opts.Concurrency = runtime.GOMAXPROCS(0)
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	dummy := phc{Params: opts.Params, salt: make([]byte, saltSize), sum: make([]byte, sumSize)}
	if !dummy.bounded() {
		panic(fmt.Sprintf("auth: parameters %+v are out of bounds, their hashes could not be read back", opts.Params))
	}
	if opts.Limits == nil {
		opts.Limits = store
	}
	a := &Auth{
		store: store, limits: opts.Limits, hasher: newHasher(opts.Params, opts.Concurrency), log: opts.Logger, dummy: dummy,
		secure: opts.Secure, slots: make([]chan struct{}, signInSlots), seed: maphash.MakeSeed(),
	}
	for i := range a.slots {
		a.slots[i] = make(chan struct{}, 1)
	}
	for _, key := range opts.Keys {
		m := hmac.New(sha256.New, key)
		m.Write([]byte(deviceLabel))
		a.deviceKeys = append(a.deviceKeys, m.Sum(nil))
	}
	return a
}

// Check returns the account of a login or e-mail address if the password is
// its own: ErrWrong if not, ErrInactive if it is and the account is disabled. It
// counts no attempts; SignIn does.
func (a *Auth) Check(ctx context.Context, login, password string) (Account, error) {
	if len(password) > MaxPassword {
		return Account{}, ErrWrong
	}
	rec, rev, err := a.find(ctx, login)
	known := !errors.Is(err, ErrUnknown)
	if known && err != nil {
		return Account{}, err
	}
	hash := a.dummy
	if known {
		hash = rec.hash
	}
	match, err := a.hasher.verify(ctx, hash, password)
	if err != nil {
		return Account{}, fmt.Errorf("auth: gave up waiting to check a password: %w", err)
	}
	switch {
	case !known || !match:
		return Account{}, ErrWrong
	case !rec.Active:
		return Account{}, ErrInactive
	}
	if hash.Params != a.hasher.params {
		a.rehash(ctx, rec, rev, password)
	}
	return rec.Account, nil
}

// rehash replaces a hash whose parameters are not the present ones, now that
// the password is at hand. If it fails, the next sign-in tries again.
func (a *Auth) rehash(ctx context.Context, rec stored, rev kv.Revision, password string) {
	hash, err := a.hasher.hash(ctx, password)
	if err == nil {
		rec.hash = hash
		_, err = a.store.Commit(ctx,
			[]kv.Check{kv.Unchanged(idKey(rec.ID), rev)},
			[]kv.Write{kv.Put(idKey(rec.ID), rec.encode())})
	}
	if err != nil {
		a.log.WarnContext(ctx, "password hash not renewed", "account", rec.ID, "error", err)
		return
	}
	a.log.InfoContext(ctx, "password hash renewed with the present parameters", "account", rec.ID)
}

// Get returns an account by its id, or ErrUnknown. Role and Active may change
// while somebody is signed in: ask at each request.
func (a *Auth) Get(ctx context.Context, id string) (Account, error) {
	rec, _, err := a.load(ctx, id)
	return rec.Account, err
}

// Find returns an account by its login or e-mail address, or ErrUnknown.
func (a *Auth) Find(ctx context.Context, login string) (Account, error) {
	rec, _, err := a.find(ctx, login)
	return rec.Account, err
}

// find looks up a login or e-mail address. It asks the store twice, whether
// there is such an account or not, so that the time does not tell.
func (a *Auth) find(ctx context.Context, login string) (stored, kv.Revision, error) {
	key := ""
	if name, err := normalLogin(login); err == nil {
		key = loginKey(name)
	}
	if name, err := normalEmail(login); err == nil {
		key = emailKey(name)
	}
	if key == "" {
		// No account can have such a name; ask for one that cannot exist.
		key = loginKey(" ")
	}
	id := nobody
	e, err := a.store.Get(ctx, key)
	switch {
	case err == nil:
		id = string(e.Value)
	case !errors.Is(err, kv.ErrNotFound):
		return stored{}, 0, fmt.Errorf("auth: cannot look up a login: %w", err)
	}
	return a.load(ctx, id)
}

// load reads an account by its id.
func (a *Auth) load(ctx context.Context, id string) (stored, kv.Revision, error) {
	if !validID(id) {
		return stored{}, 0, ErrUnknown
	}
	e, err := a.store.Get(ctx, idKey(id))
	if errors.Is(err, kv.ErrNotFound) {
		return stored{}, 0, ErrUnknown
	}
	if err != nil {
		return stored{}, 0, fmt.Errorf("auth: cannot read account %s: %w", id, err)
	}
	rec, err := decodeStored(e.Value)
	if err != nil || rec.ID != id {
		return stored{}, 0, fmt.Errorf("auth: account %s: %w", id, errRecord)
	}
	return rec, e.Revision, nil
}
