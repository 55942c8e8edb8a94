package redis

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/lectern-lms/lectern/kv"
)

// The pauses between tries grow from the first to the last, and are shortened
// by up to a half at random.
const (
	firstPause = 4 * time.Millisecond
	lastPause  = 400 * time.Millisecond
)

// backoff makes growing pauses with jitter.
type backoff struct{ next time.Duration }

// sleep pauses, or returns the context's error.
func (b *backoff) sleep(ctx context.Context) error {
	b.next = min(max(2*b.next, firstPause), lastPause)
	t := time.NewTimer(b.next/2 + rand.N(b.next/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clock knows the server's time from its answers.
type clock struct {
	base   time.Time // a moment of this process, monotonic
	offset atomic.Int64
}

// set notes the server's time in milliseconds.
func (c *clock) set(now int64) { c.offset.Store(now - time.Since(c.base).Milliseconds()) }

// now is about the server's time in milliseconds.
func (c *clock) now() int64 { return c.offset.Load() + time.Since(c.base).Milliseconds() }

// answer is what a script returned.
type answer struct {
	status string
	rev    uint64    // the bucket's revision
	now    time.Time // the server's clock
	rest   []rueidis.RedisMessage
	err    error // the first fault in the form of rest
}

// text is a string of the rest, and false if it is nil.
func (a *answer) text(i int) (string, bool) {
	if i >= len(a.rest) || a.rest[i].IsNil() {
		return "", false
	}
	s, err := a.rest[i].ToString()
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("%w: a script's answer: %w", errMalformed, err)
	}
	return s, true
}

// number is a whole number of the rest, as a number or as text.
func (a *answer) number(i int) uint64 {
	if i < len(a.rest) {
		if n, err := a.rest[i].AsUint64(); err == nil {
			return n
		}
	}
	if a.err == nil {
		a.err = fmt.Errorf("%w: a script's answer lacks its number %d", errMalformed, i)
	}
	return 0
}

// records are pairs of keys and records in the rest.
func (a *answer) records(i int) []record {
	var list []string
	err := fmt.Errorf("%w: a script's answer lacks its list %d", errMalformed, i)
	if i < len(a.rest) {
		list, err = a.rest[i].AsStrSlice()
	}
	out := make([]record, 0, len(list)/2)
	for j := 0; err == nil && j+1 < len(list); j += 2 {
		var r record
		if r, err = decodeRecord(list[j], list[j+1]); err == nil {
			out = append(out, r)
		}
	}
	if err != nil && a.err == nil {
		a.err = err
	}
	return out
}

// ask is persist within the time that one call may take, however long its
// caller would wait: a server that is down must not hold up all requests.
func (s *Store) ask(ctx context.Context, limit time.Duration, sc script, args ...string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return s.persist(ctx, sc, args...)
}

// persist runs a script that serves the run which this store knows, until it
// has an answer that is for the caller or ctx ends. It meets the bucket anew
// and expires what is due when the script says so.
func (s *Store) persist(ctx context.Context, sc script, args ...string) (answer, error) {
	var wait backoff
	for {
		if err := s.ready(ctx); err != nil {
			return answer{}, unavailable(err)
		}
		v := s.view.Load()
		a, err := s.run(ctx, sc, v, args)
		retry := err != nil && passing(err)
		if err != nil {
			err = explain(err)
		}
		switch {
		case err != nil:
		case a.status == "run", a.status == "damaged":
			if err = s.meet(ctx, v); err == nil && wait.sleep(ctx) == nil {
				continue
			}
			err = cmp.Or(err, unavailable(ctx.Err()))
		case a.status == "due":
			if err = s.expireAll(ctx); err == nil {
				continue
			}
		case a.status == "replica":
			err, retry = fmt.Errorf("%w: Redis is a replica", kv.ErrUnavailable), true
		default:
			s.saw(v, a.rev)
			return a, nil
		}
		if s.life.Err() != nil {
			return answer{}, s.ready(ctx)
		}
		if !retry || wait.sleep(ctx) != nil {
			return answer{}, s.ended(ctx, err)
		}
	}
}

// saw notes a revision that an answer brought. If the bucket has a new run
// meanwhile, the revision may be one of those that are lost.
func (s *Store) saw(v *view, rev uint64) {
	v.epoch.saw(rev)
	if now := s.view.Load(); now != v && now.epoch == v.epoch && now.lost(rev) {
		s.upset()
	}
}

// ended is the error of a call: its own, or that its caller cancelled it.
func (s *Store) ended(ctx context.Context, err error) error {
	if ctx.Err() == context.Canceled {
		return ctx.Err()
	}
	return err
}

// run runs a script once. Redis forgets scripts when it is restarted, so one
// that it does not know is sent again in full; it has not run then.
func (s *Store) run(ctx context.Context, sc script, v *view, args []string) (answer, error) {
	seen := v.epoch.seen.Load()
	head := []string{v.run, strconv.FormatUint(seen, 10)}
	b := s.conn.client.B()
	msgs, err := s.conn.client.Do(ctx, b.Evalsha().Sha1(sc.sha).Numkeys(int64(len(s.keys))).Key(s.keys...).Arg(head...).Arg(args...).Build()).ToArray()
	if answer, ok := rueidis.IsRedisErr(err); ok && answer.IsNoScript() {
		msgs, err = s.conn.client.Do(ctx, b.Eval().Script(sc.text).Numkeys(int64(len(s.keys))).Key(s.keys...).Arg(head...).Arg(args...).Build()).ToArray()
	}
	if err != nil {
		return answer{}, err
	}
	a := answer{rest: msgs}
	a.status, _ = a.text(0)
	if len(msgs) >= 3 {
		now := int64(0)
		a.rev = a.number(1)
		now, err = msgs[2].AsInt64()
		a.now, a.rest = time.UnixMilli(now), msgs[3:]
		s.clock.set(now)
	}
	if a.err == nil && err != nil {
		a.err = fmt.Errorf("%w: a script's answer: %w", errMalformed, err)
	}
	return a, a.err
}
