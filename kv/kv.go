// Package kv is the contract of Lectern's distributed key-value store: what
// every adapter (kv/jetstream, kv/redis, kv/memory) promises and what the
// conformance suite (kv/kvtest) checks. The package imports nothing of
// Lectern and can be used alone.
//
// # The model
//
// A [Store] is one bucket: a map from keys to values in which every change
// has a [Revision], a number that grows with each commit and is never used
// twice. A key is a path of segments joined by "/", each any bytes but "/";
// adapters encode it for the system below. Prefixes end at a segment border.
//
// # Writing
//
// [Store.Commit] is the only way to write. It takes checks and writes: either
// every check holds and every write becomes visible at once, or nothing
// changes and the error says why. A reader sees all of a commit or none of
// it, as far as it reads one key or makes one Scan.
//
// # Time to live
//
// A write may carry a time to live. After it the key reads as absent, on
// every node, even if the store below has not yet removed it: the expiry time
// is stored with the value and every adapter compares it. A later write
// without a time to live keeps the key for ever; expiry is never inherited.
package kv

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Limits that every adapter enforces before anything is sent, so that a
// hostile key can neither break a connection (a NATS subject over the
// server's control line closes it for good) nor be accepted by one adapter and
// refused by another.
const (
	// MaxKey is the longest key, in bytes before encoding.
	MaxKey = 1024
	// MaxValue is the longest value in bytes: NATS's default max_payload of
	// 1 MiB less room for headers.
	MaxValue = 1<<20 - 4096
	// MaxWrites is the most writes that one commit may hold: NATS limits an
	// atomic batch to 1,000 messages, of which checks take some.
	MaxWrites = 500
	// MaxChecks is the most checks that one commit may hold.
	MaxChecks = 400
	// TombstoneAge is how long a store at least remembers a deletion or an
	// expiry. What is older cannot be seen by Watch from before it, nor by
	// PrefixUnchanged, which then does not hold.
	TombstoneAge = 10 * time.Minute
	// MinTTL is the shortest time to live. Shorter ones are refused, since
	// NATS counts in whole seconds; longer ones are exact to the reader,
	// whatever the store below rounds to.
	MinTTL = time.Second
)

// The errors that callers can act on; test with [errors.Is]. Any other error
// is a fault of the store or of the call.
var (
	// ErrNotFound says that the key does not exist, was deleted or expired.
	ErrNotFound = errors.New("kv: key not found")
	// ErrConflict says that a check did not hold. Nothing was written: read
	// again and decide anew.
	ErrConflict = errors.New("kv: conflict")
	// ErrTooLarge says that a key, a value or a commit is over its limit.
	ErrTooLarge = errors.New("kv: too large")
	// ErrInvalid says that a key, prefix or time to live is not of the form
	// that the contract allows.
	ErrInvalid = errors.New("kv: invalid")
	// ErrUnavailable says that the store cannot be reached, has no quorum or
	// is full. After a Commit the writes may or may not have happened.
	ErrUnavailable = errors.New("kv: store unavailable")
	// ErrClosed says that the store or feed was closed by this process.
	ErrClosed = errors.New("kv: closed")
)

// Revision numbers the changes of one store. Zero means "no such key" in a
// check and "from the beginning" in Watch.
type Revision uint64

// Entry is one key with its value as of a revision.
type Entry struct {
	Key      string
	Value    []byte
	Revision Revision
	// Modified is when the store accepted the write, by the store's clock.
	Modified time.Time
	// Expires is when the key reads as absent; zero if never.
	Expires time.Time
}

// Check is a condition that must hold for a commit to happen. Make one with
// [Unchanged], [Absent] or [PrefixUnchanged].
type Check struct {
	Key      string
	IsPrefix bool
	Revision Revision
}

// Unchanged holds if key still has the given revision; revision zero means
// that the key must be absent.
func Unchanged(key string, r Revision) Check { return Check{Key: key, Revision: r} }

// Absent holds if key does not exist, was deleted or has expired.
func Absent(key string) Check { return Check{Key: key} }

// PrefixUnchanged holds if nothing under prefix was written, deleted or has
// expired since revision r, which is the Revision of the [Page] that a Scan
// of the same prefix returned. It may fail without a change (the store may
// have forgotten a deletion); it never holds after one.
func PrefixUnchanged(prefix string, r Revision) Check {
	return Check{Key: prefix, IsPrefix: true, Revision: r}
}

// Write is one change of a commit. Make one with [Put], [PutTTL] or [Delete].
type Write struct {
	Key    string
	Value  []byte
	TTL    time.Duration
	Remove bool
}

// Put writes value without an expiry.
func Put(key string, value []byte) Write { return Write{Key: key, Value: value} }

// PutTTL writes value so that it reads as absent after ttl.
func PutTTL(key string, value []byte, ttl time.Duration) Write {
	return Write{Key: key, Value: value, TTL: ttl}
}

// Delete removes key; removing an absent key is no error.
func Delete(key string) Write { return Write{Key: key, Remove: true} }

// Page is the answer to a Scan: entries in ascending byte order of their keys.
type Page struct {
	Entries []Entry
	// More says that the limit cut the page; go on after the last key.
	More bool
	// Revision covers everything under the prefix, deletions included; it is
	// what PrefixUnchanged takes.
	Revision Revision
}

// Range says what a Scan returns. The zero value of After and Limit means
// from the first key and without a limit.
type Range struct {
	// Prefix is a path that ends with "/", or "" for the whole store.
	Prefix string
	// After skips keys up to and including this one.
	After string
	// Limit is the most entries to return.
	Limit int
}

// EventKind tells what happened to a key.
type EventKind uint8

// The kinds of change that a feed reports.
const (
	EventPut EventKind = iota + 1
	EventDelete
	EventExpire
)

// Event is one change. Entry.Value is empty unless Kind is EventPut.
type Event struct {
	Kind  EventKind
	Entry Entry
}

// Feed delivers the changes under a prefix in ascending order of revision. It
// is used by one goroutine at a time.
type Feed interface {
	// Next waits for the next change. It returns ErrClosed after Close,
	// the context's error when ctx ends, and ErrUnavailable if changes may
	// have been lost, after which the feed is of no more use.
	Next(ctx context.Context) (Event, error)
	// Close ends the feed; more than one call is no error.
	Close() error
}

// Store is one bucket of a distributed key-value store. All methods may be
// called from many goroutines. Every method respects its context's deadline.
type Store interface {
	// Get returns the newest entry of key that any completed Commit wrote
	// before the call, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Scan returns the entries in r as one snapshot per call.
	Scan(ctx context.Context, r Range) (Page, error)
	// Commit writes all writes if all checks hold, and returns the revision
	// of the last write. With no writes it only tests the checks and returns
	// zero. A key may be written once in a commit.
	Commit(ctx context.Context, checks []Check, writes []Write) (Revision, error)
	// Watch reports the changes under prefix after a revision that this
	// store gave out; a change that was overwritten meanwhile may be left
	// out, the newest of each key never is, as far as TombstoneAge reaches.
	Watch(ctx context.Context, prefix string, after Revision) (Feed, error)
	// Close releases what the store holds. The data stay.
	Close() error
}

// CheckKey reports whether key has the form of the contract: 1 to MaxKey
// bytes, no empty segment. The error names the fault and wraps ErrInvalid or
// ErrTooLarge.
func CheckKey(key string) error {
	switch {
	case key == "":
		return fmt.Errorf("%w: the key is empty", ErrInvalid)
	case len(key) > MaxKey:
		return fmt.Errorf("%w: the key has %d bytes, the limit is %d", ErrTooLarge, len(key), MaxKey)
	case strings.HasPrefix(key, "/"), strings.HasSuffix(key, "/"), strings.Contains(key, "//"):
		return fmt.Errorf("%w: the key %.80q has an empty segment", ErrInvalid, key)
	}
	return nil
}

// CheckPrefix reports whether prefix is "" or a key followed by "/".
func CheckPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	if !strings.HasSuffix(prefix, "/") {
		return fmt.Errorf("%w: the prefix %.80q does not end with a slash", ErrInvalid, prefix)
	}
	return CheckKey(strings.TrimSuffix(prefix, "/"))
}

// CheckCommit reports the first fault in the form of a commit, before any of
// it is sent: a bad key, a value over MaxValue, too many checks or writes, a
// time to live under MinTTL, or a key that is written twice.
func CheckCommit(checks []Check, writes []Write) error {
	if len(checks) > MaxChecks || len(writes) > MaxWrites {
		return fmt.Errorf("%w: %d checks and %d writes in one commit, the limits are %d and %d",
			ErrTooLarge, len(checks), len(writes), MaxChecks, MaxWrites)
	}
	for _, c := range checks {
		check := CheckKey
		if c.IsPrefix {
			check = CheckPrefix
		}
		if err := check(c.Key); err != nil {
			return err
		}
	}
	seen := make(map[string]bool, len(writes))
	for _, w := range writes {
		if err := checkWrite(w); err != nil {
			return err
		}
		if seen[w.Key] {
			return fmt.Errorf("%w: the key %.80q is written twice in one commit", ErrInvalid, w.Key)
		}
		seen[w.Key] = true
	}
	return nil
}

// checkWrite reports the first fault in the form of one write.
func checkWrite(w Write) error {
	if err := CheckKey(w.Key); err != nil {
		return err
	}
	if len(w.Value) > MaxValue {
		return fmt.Errorf("%w: the value of %.80q has %d bytes, the limit is %d", ErrTooLarge, w.Key, len(w.Value), MaxValue)
	}
	if w.TTL != 0 && w.TTL < MinTTL {
		return fmt.Errorf("%w: the time to live of %.80q is %v, the least is %v", ErrInvalid, w.Key, w.TTL, MinTTL)
	}
	return nil
}
