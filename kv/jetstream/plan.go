package jetstream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// expiryGrace is added to what the server is told about a time to live. When
// the server expires a message, it stores a marker without looking whether a
// new value came in between, and so can destroy one that was written in that
// moment; the moment when a key expires for its readers, and others write it
// anew, must not be the same.
const expiryGrace = time.Second

// maxServerTTL is the longest time to live that the server is told; its sums
// of nanoseconds overflow in the year 2262.
const maxServerTTL = 100 * 365 * 24 * time.Hour

// expectation says that the newest message of a subject has a sequence, zero
// if there must be none.
type expectation struct {
	subject string
	seq     uint64
}

// plan is a commit as messages in order, guards first. Messages of one commit
// may each carry one expectation.
type plan struct {
	expect  []expectation // one for each check
	stream  uint64        // the stream's sequence that must still hold, if not zero
	soft    bool          // an expectation may fail though its check holds
	expires []time.Time   // of each write
	msgs    []*nats.Msg
}

// same tells whether two plans rest on the same state of the stream.
func (p *plan) same(o *plan) bool {
	return o != nil && p.stream == o.stream && slices.Equal(p.expect, o.expect)
}

// plan works out which messages make up a commit. A check that fails already
// gives ErrConflict. The first plan trusts what is known: it leaves a single
// check for absence (guess) to the server, and does not read a revision again
// that was seen. After a conflict each check is looked at.
func (s *Store) plan(ctx context.Context, checks []kv.Check, writes []kv.Write, guess, first bool) (*plan, error) {
	p := &plan{}
	for _, c := range checks {
		e := expectation{subject: s.subject(c.Key)}
		var err error
		switch {
		case c.IsPrefix:
			e, err = s.expectPage(ctx, c, p)
		case c.Revision != 0:
			e.seq, err = uint64(c.Revision), s.expectAlive(ctx, c, first)
		case !guess:
			e.seq, err = s.expectAbsent(ctx, c.Key)
		}
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(p.expect, func(o expectation) bool { return o.subject == e.subject && o.seq != e.seq }) {
			return nil, conflict(c)
		}
		p.expect = append(p.expect, e)
		p.soft = p.soft || c.Revision == 0 && !c.IsPrefix || p.stream > 0
	}
	s.compose(p, writes)
	return p, nil
}

// expectAlive fails if the value at the revision of the check has expired: the
// server may still have it. With trust, a revision that was seen is taken to be
// there still; the server will tell if it is not.
func (s *Store) expectAlive(ctx context.Context, c kv.Check, trust bool) error {
	expires, ok := s.seen.get(c.Revision)
	if !ok || !trust {
		r, err := s.lastRecord(ctx, c.Key)
		if errors.Is(err, kv.ErrNotFound) {
			return conflict(c)
		}
		if err != nil {
			return err
		}
		if r.kind != kv.EventPut || r.entry.Revision != c.Revision {
			return conflict(c)
		}
		expires = r.entry.Expires
	}
	if !expires.IsZero() && !time.Now().Before(expires) {
		return conflict(c)
	}
	return nil
}

// expectAbsent returns the sequence that an absent key has on the server: that
// of its deletion or expired value, or zero.
func (s *Store) expectAbsent(ctx context.Context, key string) (uint64, error) {
	r, err := s.lastRecord(ctx, key)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return 0, nil
	case err != nil:
		return 0, err
	case r.alive(time.Now()):
		return 0, conflict(kv.Absent(key))
	}
	return uint64(r.entry.Revision), nil
}

// expectPage returns what the server can check of a page: the newest sequence
// under the prefix. On a replicated stream the server does not see writes under
// a prefix that are on their way to the replicas, so there the whole stream
// must stand still from looking at the prefix to the commit.
func (s *Store) expectPage(ctx context.Context, c kv.Check, p *plan) (expectation, error) {
	facts, ok := s.pages.get(pageKey{c.Key, c.Revision})
	var err error
	switch {
	case !ok:
		facts, ok, err = s.recallPage(ctx, c, p)
	case s.pin:
		ok, err = s.stillPage(ctx, c, facts, p)
	}
	if err != nil {
		return expectation{}, err
	}
	now := time.Now()
	if !ok || now.Sub(facts.at) > pageAge || !facts.expires.IsZero() && !now.Before(facts.expires) {
		return expectation{}, conflict(c)
	}
	return expectation{subject: s.filter(c.Key), seq: facts.last}, nil
}

// stillPage tells whether nothing under the prefix has changed since the page,
// and pins the stream to where that is so. The stream's sequence is asked for
// first: what is true of the prefix later was true then.
func (s *Store) stillPage(ctx context.Context, c kv.Check, facts pageFacts, p *plan) (bool, error) {
	base, err := s.streamSeq(ctx)
	if err != nil {
		return false, err
	}
	newest, err := s.newestOnLeader(ctx, s.filter(c.Key))
	p.hold(base)
	return newest == facts.last, err
}

// recallPage works out the facts of a page that this store does not remember.
func (s *Store) recallPage(ctx context.Context, c kv.Check, p *plan) (pageFacts, bool, error) {
	snap, err := s.snapshot(ctx, c.Key)
	if err != nil {
		return pageFacts{}, false, err
	}
	if s.pin {
		p.hold(snap.revision)
	}
	facts, ok := s.rebuildPage(c, snap)
	return facts, ok, nil
}

// hold pins the stream to a sequence, the lowest if there are several.
func (p *plan) hold(seq uint64) {
	if p.stream == 0 || seq < p.stream {
		p.stream = seq
	}
}

// rebuildPage works out the facts of a page that another process scanned, or
// that was forgotten here. They are sure only if the stream still remembers
// all deletions since, which the age of the newest record tells.
func (s *Store) rebuildPage(c kv.Check, snap snapshot) (pageFacts, bool) {
	now := time.Now()
	s.remember(c.Key, snap, now)
	if snap.revision == uint64(c.Revision) {
		return s.pages.get(pageKey{c.Key, c.Revision})
	}
	if snap.last == 0 || snap.last > uint64(c.Revision) {
		return pageFacts{}, false
	}
	facts := pageFacts{last: snap.last, at: now}
	young := false
	for _, r := range snap.records {
		if e := r.entry.Expires; !e.IsZero() && (facts.expires.IsZero() || e.Before(facts.expires)) {
			facts.expires = e
		}
		if uint64(r.entry.Revision) == snap.last {
			young = now.Sub(r.entry.Modified) < pageAge
		}
	}
	return facts, young
}

// conflict names the check that failed.
func conflict(c kv.Check) error {
	return fmt.Errorf("%w: %.80q changed since revision %d", kv.ErrConflict, c.Key, c.Revision)
}

// compose makes the messages: each write with the check on its own key, the
// other checks on writes that are free to carry one, the rest on guards.
func (s *Store) compose(p *plan, writes []kv.Write) {
	now := time.Now()
	own := make(map[string]uint64, len(p.expect))
	for _, e := range p.expect {
		own[e.subject] = e.seq
	}
	var free []*nats.Msg
	for _, w := range writes {
		m, expires := s.message(w, now)
		p.expires = append(p.expires, expires)
		p.msgs = append(p.msgs, m)
		if seq, ok := own[m.Subject]; ok {
			setExpect(m, expectation{m.Subject, seq})
			own[m.Subject] = math.MaxUint64 // carried
		} else {
			free = append(free, m)
		}
	}
	var guards []*nats.Msg
	for _, e := range p.expect {
		if own[e.subject] == math.MaxUint64 {
			continue
		}
		own[e.subject] = math.MaxUint64
		m := nats.NewMsg(s.guard)
		if len(free) > 0 {
			m, free = free[0], free[1:]
		} else {
			guards = append(guards, m)
		}
		setExpect(m, e)
	}
	p.msgs = append(guards, p.msgs...)
	if p.stream > 0 {
		p.msgs[0].Header.Set(headerExpectLast, strconv.FormatUint(p.stream, 10))
	}
}

// setExpect makes a message carry an expectation.
func setExpect(m *nats.Msg, e expectation) {
	m.Header.Set(headerExpect, strconv.FormatUint(e.seq, 10))
	if e.subject != m.Subject {
		m.Header.Set(headerExpectFor, e.subject)
	}
}

// message makes the message of one write, and tells when its value expires.
func (s *Store) message(w kv.Write, now time.Time) (*nats.Msg, time.Time) {
	m := nats.NewMsg(s.subject(w.Key))
	if w.Remove {
		m.Header.Set(headerOperation, operationPurge)
		m.Header.Set(headerTTL, ttlSeconds(kv.TombstoneAge))
		return m, time.Time{}
	}
	var expires time.Time
	if w.TTL > 0 {
		// To the next whole millisecond, which is what the envelope can hold.
		expires = time.UnixMilli(now.Add(w.TTL).Add(time.Millisecond - 1).UnixMilli())
		m.Header.Set(headerTTL, ttlSeconds(min(w.TTL, maxServerTTL)+expiryGrace))
	}
	m.Data = encodeValue(w.Value, expires)
	return m, expires
}

// ttlSeconds rounds up to whole seconds: the server cuts fractions off.
func ttlSeconds(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
