package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// LimitPrefix is what the keys of counted attempts start with.
const LimitPrefix = "attempt/"

// limit says how many failed attempts of one kind may come at once, and how
// long each of them then counts. What is over it is refused until one has
// been forgotten, so nobody ever waits longer than each.
type limit struct {
	kind  string
	burst int
	each  time.Duration
}

// The limits. Successes are counted by none of them.
var (
	// pairLimit holds back who tries to guess one person's password.
	pairLimit = limit{"pair", 5, time.Minute}
	// addressLimit holds back who tries one password on many names. It leaves
	// room for a school behind one address in which everybody mistypes.
	addressLimit = limit{"address", 300, time.Second}
	// accountLimit holds back many addresses that guess one person's password:
	// to 20 attempts and 2,880 more a day. It slows down and locks nobody out:
	// known devices are exempt, and others wait for seconds once it is over.
	accountLimit = limit{"account", 20, 30 * time.Second}
	// deviceLimit stands in for all of the above on a known device, so that
	// nobody else can use up the attempts of its owner.
	deviceLimit = limit{"device", 10, time.Minute}
)

// ErrThrottled says that there were too many failed attempts; the error is a
// Throttled, which says how long to wait.
var ErrThrottled = errors.New("auth: too many failed attempts")

// Throttled is the refusal of an attempt before its password was looked at.
type Throttled struct {
	// Wait is how long it takes until another attempt is let in.
	Wait time.Duration
	// Kind names the limit for the log.
	Kind string
}

// Error says how long to wait.
func (t Throttled) Error() string {
	return fmt.Sprintf("%v (limit by %s): wait %v", ErrThrottled, t.Kind, t.Wait.Round(time.Second))
}

// Unwrap makes it an ErrThrottled.
func (t Throttled) Unwrap() error { return ErrThrottled }

// counter is one limit applied to somebody or something.
type counter struct {
	limit
	key string
	// until is when all failures are forgotten, and rev the revision of the
	// record that says so, 0 if there is none.
	until time.Time
	rev   kv.Revision
}

// newCounter names the parts that a limit goes by. The key is a hash: the
// store learns no names or addresses by it.
func newCounter(l limit, parts ...string) *counter {
	h := sha256.New()
	for _, p := range parts {
		_ = binary.Write(h, binary.BigEndian, uint32(len(p))) // a hash takes everything
		h.Write([]byte(p))
	}
	return &counter{limit: l, key: LimitPrefix + l.kind + "/" + limitEncoding.EncodeToString(h.Sum(nil))}
}

// limitEncoding writes hashes as key segments.
var limitEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// network is what an address counts as: itself, or the /64 that a household
// or a machine has in IPv6. Requests without an address share one.
func network(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	if a.Is6() {
		p, _ := a.Prefix(64) // It fails for lengths over 128 only.
		return p.Addr().String()
	}
	return a.String()
}

// wait is how long the next attempt must wait at a time.
func (c *counter) wait(now time.Time) time.Duration {
	if c.until.Before(now) {
		return 0
	}
	return max(0, c.until.Sub(now)-time.Duration(c.burst-1)*c.each)
}

// failed is the counter after one more failure. It never goes further than
// what makes the next attempt wait for one turn, however many failures came
// side by side.
func (c *counter) failed(now time.Time) time.Time {
	next := c.until.Add(c.each)
	if c.until.Before(now) {
		next = now.Add(c.each)
	}
	if most := now.Add(time.Duration(c.burst) * c.each); next.After(most) {
		return most
	}
	return next
}

// read looks up a counter. What is no counter, or says what none can say, is
// overwritten at the next failure.
func (a *Auth) readCounter(ctx context.Context, c *counter) error {
	c.until, c.rev = time.Time{}, 0
	e, err := a.limits.Get(ctx, c.key)
	if errors.Is(err, kv.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("auth: cannot count attempts: %w", err)
	}
	c.rev = e.Revision
	if len(e.Value) != 8 {
		a.log.WarnContext(ctx, "a record of counted attempts is damaged and counts as none", "limit", c.kind)
		return nil
	}
	c.until = time.UnixMilli(int64(binary.BigEndian.Uint64(e.Value)))
	if most := time.Now().Add(time.Duration(c.burst) * c.each); c.until.After(most) {
		c.until = most // A clock was ahead.
	}
	return nil
}

// countFailure adds a failure, again if another attempt came between. The
// record ends when it says nothing any more, which bounds the memory: an
// attacker has one hash computed for each.
func (a *Auth) countFailure(ctx context.Context, c *counter) error {
	for range changeTries {
		now := time.Now()
		until := c.failed(now)
		_, err := a.limits.Commit(ctx,
			[]kv.Check{kv.Unchanged(c.key, c.rev)},
			[]kv.Write{kv.PutTTL(c.key, binary.BigEndian.AppendUint64(nil, uint64(until.UnixMilli())), until.Sub(now)+kv.MinTTL)})
		if err == nil {
			return nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return fmt.Errorf("auth: cannot count attempts: %w", err)
		}
		if err := a.readCounter(ctx, c); err != nil {
			return err
		}
	}
	return nil // So many failures at once that others have counted enough.
}

// forgive forgets the failures of somebody who has signed in.
func (a *Auth) forgive(ctx context.Context, c *counter) error {
	if c.rev == 0 {
		return nil
	}
	if _, err := a.limits.Commit(ctx, nil, []kv.Write{kv.Delete(c.key)}); err != nil {
		return fmt.Errorf("auth: cannot count attempts: %w", err)
	}
	return nil
}
