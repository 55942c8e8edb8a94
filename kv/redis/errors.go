package redis

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/lectern-lms/lectern/kv"
)

// The faults of a server that a person must mend; each is an
// [kv.ErrUnavailable] too.
var (
	// ErrRefused says that the server refused the user or the password, or
	// that the user may not do what a store needs.
	ErrRefused = fmt.Errorf("%w: Redis refused the user", kv.ErrUnavailable)
	// ErrNotRedis says that what answers is no Redis, or not one of version 7
	// or later.
	ErrNotRedis = fmt.Errorf("%w: no Redis of version 7 or later", kv.ErrUnavailable)
	// ErrFull says that the server's memory is full. Deletions still work.
	ErrFull = fmt.Errorf("%w: Redis is full", kv.ErrUnavailable)
	// ErrReplaced says that the bucket is empty, older than before or another
	// one.
	ErrReplaced = fmt.Errorf("%w: the data in Redis were replaced", kv.ErrUnavailable)
	// ErrDamaged says that parts of the bucket are missing.
	ErrDamaged = fmt.Errorf("%w: the data in Redis are damaged", kv.ErrUnavailable)
)

// answers are the beginnings of the server's errors that have a meaning here,
// as the client shows them, without a leading ERR.
// After those that pass the same call may succeed, and has done nothing yet.
var answers = []struct {
	begins string
	kind   error
	passes bool
	remedy string
}{
	{"NOAUTH", ErrRefused, false, "it wants a password; put it into the URL as redis://user:password@host"},
	{"WRONGPASS", ErrRefused, false, "the user or the password in the URL is wrong"},
	{"Client sent AUTH", ErrRefused, false, "the URL has a password and the server has none"},
	{"AUTH", ErrRefused, false, "the URL has a password and the server has none"},
	{"NOPERM", ErrRefused, false, "give the user the commands and keys that deploy/README.md lists"},
	{"OOM", ErrFull, false, "raise maxmemory or remove data"},
	{"MISCONF", kv.ErrUnavailable, false, "Redis cannot save to its disk; see its log"},
	{"unknown command", ErrNotRedis, false, "Lectern needs Redis 7.0 or later"},
	{"Bad directive", ErrNotRedis, false, "Lectern needs Redis 7.0 or later"},
	{"DB index", kv.ErrInvalid, false, "the database number in the URL is too large"},
	{"WRONGTYPE", ErrDamaged, false, "another program uses keys that begin with {lectern:"},
	{"LOADING", kv.ErrUnavailable, true, "it is still loading its data"},
	{"BUSY", kv.ErrUnavailable, true, "a script of another program blocks it"},
	{"READONLY", kv.ErrUnavailable, true, "it is a replica"},
	{"MASTERDOWN", kv.ErrUnavailable, true, "it is a replica without its primary"},
	{"NOREPLICAS", kv.ErrUnavailable, true, "too few replicas are connected"},
	{"CLUSTERDOWN", kv.ErrUnavailable, true, "the cluster is down"},
	{"TRYAGAIN", kv.ErrUnavailable, true, "the cluster is moving the bucket"},
	{"MOVED", kv.ErrUnavailable, true, "the cluster is moving the bucket"},
	{"ASK", kv.ErrUnavailable, true, "the cluster is moving the bucket"},
	{"max number of clients", kv.ErrUnavailable, true, "raise maxclients"},
	{"NOSCRIPT", kv.ErrUnavailable, true, "its scripts were flushed"},
}

// explain gives an error of the client its kind and, if one is known, the
// remedy. A context that its caller cancelled is no fault of the store.
func explain(err error) error {
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		if rueidis.IsParseErr(err) || strings.Contains(err.Error(), "unknown message type") {
			return fmt.Errorf("%w: %w", ErrNotRedis, err)
		}
		return unavailable(err)
	}
	for _, a := range answers {
		if strings.HasPrefix(answer.Error(), a.begins) {
			return fmt.Errorf("%w: %s (%.200s)", a.kind, a.remedy, answer.Error())
		}
	}
	return fmt.Errorf("%w: %.300s", kv.ErrUnavailable, answer.Error())
}

// passing tells whether a call that got this error may be made again: at once
// something else may be true, or the connection broke. Only commits that carry
// an id are made again, so that one that has happened is recognised.
func passing(err error) bool {
	answer, ok := rueidis.IsRedisErr(err)
	if !ok {
		return !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) &&
			!errors.Is(err, rueidis.ErrClosing) && !rueidis.IsParseErr(err)
	}
	for _, a := range answers {
		if strings.HasPrefix(answer.Error(), a.begins) {
			return a.passes
		}
	}
	return false
}

// unavailable wraps what went wrong on the way to the server.
func unavailable(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrUnavailable) || errors.Is(err, kv.ErrClosed) {
		return err
	}
	return fmt.Errorf("%w: %w", kv.ErrUnavailable, err)
}
