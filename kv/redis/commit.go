package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

const (
	// commitSpan is the usual span: longer than anybody waits for an answer.
	// The bucket remembers a commit's id for at least twice as long.
	commitSpan = 20 * time.Second
	// tombstoneAge is how long deletions are usually kept: a little longer
	// than promised, since the server's clock may be set.
	tombstoneAge = kv.TombstoneAge + time.Minute
)

// Commit implements [kv.Store]. It is sent again when its answer was lost, with
// the same id, until ctx ends, 5 s at most.
func (s *Store) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if err := kv.CheckCommit(checks, writes); err != nil {
		return 0, err
	}
	if err := s.ready(ctx); err != nil || len(checks)+len(writes) == 0 {
		return 0, err
	}
	sc, args := s.plan(checks, writes)
	a, err := s.ask(ctx, commitTimeout, sc, args...)
	if err != nil {
		return 0, err
	}
	switch a.status {
	case "ok":
		if len(writes) == 0 {
			return 0, nil
		}
		return kv.Revision(a.number(0)), a.err
	case "conflict":
		return 0, conflict(checks, a.number(0))
	case "late":
		return 0, fmt.Errorf("%w: the commit could not be sent within %v", kv.ErrUnavailable, s.bucket.span)
	}
	return 0, fmt.Errorf("%w: a script answered %.20q", errMalformed, a.status)
}

// conflict names the check, counted from one, that did not hold.
func conflict(checks []kv.Check, which uint64) error {
	if which < 1 || which > uint64(len(checks)) {
		return fmt.Errorf("%w: a check did not hold", kv.ErrConflict)
	}
	c := checks[which-1]
	return fmt.Errorf("%w: %.80q changed since revision %d", kv.ErrConflict, c.Key, c.Revision)
}

// plan chooses the script for a commit and lists its arguments.
func (s *Store) plan(checks []kv.Check, writes []kv.Write) (script, []string) {
	sc := deleteScript
	args := make([]string, 0, 7+3*len(checks)+3*len(writes))
	if len(writes) == 0 {
		sc = testScript
		args = append(args, strconv.Itoa(len(checks)))
	} else {
		args = append(args, s.channel, millis(s.bucket.tombstones), rand.Text(), strconv.FormatInt(s.clock.now(), 10),
			millis(s.bucket.span), strconv.Itoa(len(checks)), strconv.Itoa(len(writes)))
	}
	for _, c := range checks {
		kind := "k"
		if c.IsPrefix {
			kind = "p"
		}
		args = append(args, kind, c.Key, strconv.FormatUint(uint64(c.Revision), 10))
	}
	for _, w := range writes {
		switch {
		case w.Remove:
			args = append(args, w.Key, "-", "")
			continue
		case w.TTL > 0:
			args = append(args, w.Key, millis(w.TTL), encodeValue(w.Key, w.Value))
		default:
			args = append(args, w.Key, "", encodeValue(w.Key, w.Value))
		}
		sc = commitScript
	}
	if len(writes) == 0 {
		sc = testScript
	}
	return sc, args
}

// millis writes a duration for a script.
func millis(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
