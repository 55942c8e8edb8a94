package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
)

// Account is what the rest of the host may know of a person. The password's
// hash is not part of it.
type Account struct {
	// ID is a ULID, fixed for life.
	ID string `json:"id"`
	// Login and Email are in normal form; Email may be "".
	Login string `json:"login"`
	Email string `json:"email,omitempty"`
	// Role is a word that the application gives a meaning.
	Role string `json:"role"`
	// Active accounts may sign in.
	Active bool `json:"active"`
	// Generation counts what ended the account's sessions: a new password,
	// another role, being disabled. A session of another one is worth nothing.
	Generation uint64 `json:"generation,omitempty"`
	// Created is exact to the second.
	Created time.Time `json:"created"`
}

// LogValue keeps the login and the e-mail address out of the log.
func (a Account) LogValue() slog.Value {
	return slog.GroupValue(slog.String("id", a.ID), slog.String("role", a.Role), slog.Bool("active", a.Active))
}

// NewAccount describes an account to create.
type NewAccount struct {
	// Login is 1 to 64 letters, digits, dots, hyphens and underscores, or an
	// e-mail address, which then is the account's Email too.
	Login string
	// Email may be "".
	Email string
	// Password must keep the rules of [ErrWeak].
	Password string
	// Role is 1 to 32 small letters, digits, hyphens and underscores. Whether
	// it exists and who may give it is for the caller to know.
	Role string
	// ID is a ULID to use, "" to draw one.
	ID string
	// Inactive creates an account that cannot sign in yet.
	Inactive bool
	// AllowWeak accepts a common password and one that equals the login. Only
	// the seeding of a demo site sets it.
	AllowWeak bool
}

// String hides the password from every way of printing but %#v, which
// GoString covers.
func (n NewAccount) String() string { return "new account with role " + n.Role }

// GoString does the same for %#v.
func (n NewAccount) GoString() string { return n.String() }

// LogValue does the same for slog.
func (n NewAccount) LogValue() slog.Value { return slog.StringValue(n.String()) }

// stored is an account with its hash, as it lies in the store.
type stored struct {
	Account
	hash phc
}

// storedVersion is the version of the record's JSON.
const storedVersion = 1

// storedJSON is the JSON of a record.
type storedJSON struct {
	Version int `json:"v"`
	Account
	Hash string `json:"hash"`
}

// errRecord says that stored bytes are no account. It never quotes them.
var errRecord = errors.New("the record is damaged or of another version: restore it from a copy")

// encode writes the record.
func (s stored) encode() []byte {
	b, err := json.Marshal(storedJSON{Version: storedVersion, Account: s.Account, Hash: s.hash.encode()})
	if err != nil {
		// Only a time outside the years 0 to 9999 can do this.
		panic("auth: cannot encode an account: " + err.Error())
	}
	return b
}

// decodeStored reads a record and refuses whatever encode does not write.
func decodeStored(b []byte) (stored, error) {
	var j storedJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&j) != nil || j.Version != storedVersion || !validID(j.ID) || j.Login == "" {
		return stored{}, errRecord
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return stored{}, errRecord
	}
	hash, err := parsePHC(j.Hash)
	if err != nil {
		return stored{}, errRecord
	}
	return stored{Account: j.Account, hash: hash}, nil
}

// nobody is an id that no account has: the ULID of the last moment, all bits
// set.
const nobody = "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"

// validID reports whether id is a ULID in its only spelling, in capitals.
func validID(id string) bool {
	u, err := ulid.ParseStrict(id)
	return err == nil && u.String() == id
}

// idPrefix is where the accounts lie.
const idPrefix = Prefix + "id/"

// Cacheable tells whether a process may keep the record at a path of the
// accounts' store (see kv/near): each change that takes a right away is fenced.
func Cacheable(path string) bool {
	return strings.HasPrefix(path, idPrefix) && len(path) > len(idPrefix)
}

// idKey is the key of an account's record.
func idKey(id string) string { return idPrefix + id }

// loginKey is the key that makes a login unique. The escape keeps a slash out
// of it.
func loginKey(login string) string { return Prefix + "login/" + url.PathEscape(login) }

// emailKey is the key that makes an e-mail address unique.
func emailKey(email string) string { return Prefix + "email/" + url.PathEscape(email) }
