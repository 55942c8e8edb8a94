package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// Bounds of one answer, which the server sends in one go to a connection that
// it closes when more than maxPending bytes wait for it.
const (
	// lastMessages is the most that the server answers to multi_last.
	lastMessages = 1024
	// walkMessages are asked for when reading in the order of sequences. The
	// server counts all that is left for each answer, so few are better.
	walkMessages = 4096
	// answerBytes bounds both.
	answerBytes = 8 << 20
)

// snapshot is everything under a prefix at one moment.
type snapshot struct {
	records  []record // in no order, deletions included
	last     uint64   // newest sequence among them, zero if none
	revision uint64   // the stream's sequence at that moment, or one since which nothing changed here
}

// Scan implements [kv.Store]. A page's revision is the stream's at that
// moment, so it never falls when the stream forgets a deletion.
func (s *Store) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	if err := kv.CheckPrefix(r.Prefix); err != nil {
		return kv.Page{}, err
	}
	if err := s.ready(ctx); err != nil {
		return kv.Page{}, err
	}
	ctx, cancel := withDefaultTimeout(ctx, walkTimeout)
	defer cancel()
	snap, err := s.snapshot(ctx, r.Prefix)
	if err != nil {
		return kv.Page{}, err
	}
	if snap, err = s.separate(ctx, r.Prefix, snap); err != nil {
		return kv.Page{}, err
	}
	now := time.Now()
	entries := s.remember(r.Prefix, snap, now)
	return cut(entries, r, kv.Revision(snap.revision)), nil
}

// separate sees that two different pages never have the same revision. A value
// that expired after a page was given out leaves the stream as it was until
// the server has noticed; then a guard message moves the stream on.
func (s *Store) separate(ctx context.Context, prefix string, snap snapshot) (snapshot, error) {
	before, ok := s.pages.get(pageKey{prefix, kv.Revision(snap.revision)})
	if !ok || before.expires.IsZero() || time.Now().Before(before.expires) {
		return snap, nil
	}
	if _, err := s.publish(ctx, nats.NewMsg(s.guard)); err != nil {
		return snap, err
	}
	return s.snapshot(ctx, prefix)
}

// remember notes what checks on the page will need, and returns its values.
func (s *Store) remember(prefix string, snap snapshot, now time.Time) []kv.Entry {
	var entries []kv.Entry
	facts := pageFacts{last: snap.last, at: now}
	for _, r := range snap.records {
		if !r.alive(now) {
			continue
		}
		s.seen.add(r)
		entries = append(entries, r.entry)
		if e := r.entry.Expires; !e.IsZero() && (facts.expires.IsZero() || e.Before(facts.expires)) {
			facts.expires = e
		}
	}
	s.pages.put(pageKey{prefix, kv.Revision(snap.revision)}, facts)
	return entries
}

// cut sorts the entries and keeps those that the range asks for.
func cut(entries []kv.Entry, r kv.Range, rev kv.Revision) kv.Page {
	slices.SortFunc(entries, func(a, b kv.Entry) int { return strings.Compare(a.Key, b.Key) })
	from, _ := slices.BinarySearchFunc(entries, r.After, func(e kv.Entry, after string) int {
		if e.Key <= after {
			return -1
		}
		return 1
	})
	page := kv.Page{Entries: entries[from:], Revision: rev}
	if r.Limit > 0 && len(page.Entries) > r.Limit {
		page.Entries, page.More = page.Entries[:r.Limit], true
	}
	return page
}

// snapshot reads everything under a prefix: in one answer if it fits, else
// piece by piece.
func (s *Store) snapshot(ctx context.Context, prefix string) (snapshot, error) {
	var snap snapshot
	err := s.read(ctx, func(ctx context.Context) (err error) {
		snap, err = s.snapshotOnce(ctx, prefix)
		return err
	})
	if errors.Is(err, errTooMany) {
		return s.walkAll(ctx, prefix)
	}
	return snap, err
}

// snapshotOnce asks for the last message of each key under the prefix. The
// guard is asked for too: it is always there, so there is always an answer
// that tells the stream's sequence. On a replicated stream the answer may come
// from a replica that is behind, which is told by what the leader has.
func (s *Store) snapshotOnce(ctx context.Context, prefix string) (snapshot, error) {
	var snap snapshot
	newest, err := s.newestOnLeader(ctx, s.filter(prefix))
	if err != nil {
		return snap, err
	}
	msgs, end, err := s.batchGet(ctx, server.JSApiMsgGetRequest{
		MultiLastFor: []string{s.filter(prefix), s.guard}, MaxBytes: answerBytes,
	})
	if errors.Is(err, kv.ErrNotFound) {
		return snap, fmt.Errorf("%w: the server finds not even the guard of bucket %s", errMalformed, s.bucket.Name)
	}
	if err != nil {
		return snap, err
	}
	if end.pending > 0 {
		return snap, errTooMany
	}
	if end.upTo < newest {
		return snap, fmt.Errorf("%w: a replica is behind the leader", kv.ErrUnavailable)
	}
	snap.revision = end.upTo
	for _, m := range msgs {
		if m.Header.Get(headerSubject) == s.guard {
			continue
		}
		r, err := s.decodeMsg(m)
		if err != nil {
			return snap, err
		}
		snap.records = append(snap.records, r)
		snap.last = max(snap.last, uint64(r.entry.Revision))
	}
	return snap, s.awaitLeader(ctx, snap.last, newest)
}

// awaitLeader waits until the leader too has what a replica has answered, up
// to seq; it is known to have had known before. A replica may be a moment ahead
// of it: then the next question, which goes to the leader, would get an older
// answer than the one before.
func (s *Store) awaitLeader(ctx context.Context, seq, known uint64) error {
	if s.replicas == 1 {
		return nil
	}
	for wait := newBackoff(); seq > known; {
		var err error
		if known, err = s.streamSeq(ctx); err != nil {
			return err
		}
		if seq > known {
			if err := wait.sleep(ctx); err != nil {
				return unavailable(err)
			}
		}
	}
	return nil
}

// newestOnLeader is the newest sequence under a filter on a replicated stream,
// zero if there is none or the stream has one replica.
func (s *Store) newestOnLeader(ctx context.Context, filter string) (uint64, error) {
	if s.replicas == 1 {
		return 0, nil
	}
	seq, err := s.lastRecordSeq(ctx, filter)
	if errors.Is(err, kv.ErrNotFound) {
		return 0, nil
	}
	return seq, err
}

// answerEnd is the last message of a multiple answer.
type answerEnd struct {
	pending uint64 // messages that did not fit
	upTo    uint64 // the stream's sequence, in answers to multi_last
}

// batchGet runs a direct get that has several messages as its answer, and
// checks that none of them was lost on the way.
func (s *Store) batchGet(ctx context.Context, req server.JSApiMsgGetRequest) ([]*nats.Msg, answerEnd, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, answerEnd{}, err
	}
	// Room for the whole answer with its guard and its end; the client's own
	// channels take half a megabyte.
	inbox, answers := s.nc.NewInbox(), make(chan *nats.Msg, max(req.Batch, lastMessages)+2)
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return nil, answerEnd{}, unavailable(err)
	}
	defer func() { _ = sub.Unsubscribe() }() // fails only on a closed connection
	if err := s.nc.PublishRequest("$JS.API.DIRECT.GET."+s.stream, inbox, body); err != nil {
		return nil, answerEnd{}, unavailable(err)
	}
	var msgs []*nats.Msg
	for last := uint64(0); ; {
		var m *nats.Msg
		select {
		case m = <-answers:
		case <-ctx.Done():
			return nil, answerEnd{}, unavailable(ctx.Err())
		}
		if m.Header.Get(headerStatus) == "204" {
			end, err := readEnd(m, last)
			return msgs, end, err
		}
		if err := directStatus(m, req.NextFor); err != nil {
			return nil, answerEnd{}, err
		}
		if before, err := headerUint(m.Header, headerLast); err != nil || before != last {
			return nil, answerEnd{}, fmt.Errorf("%w: a part of an answer was lost", kv.ErrUnavailable)
		}
		if last, err = headerUint(m.Header, headerSequence); err != nil {
			return nil, answerEnd{}, err
		}
		msgs = append(msgs, m)
	}
}

// readEnd reads the closing message, which must follow on sequence last.
func readEnd(m *nats.Msg, last uint64) (answerEnd, error) {
	before, err := headerUint(m.Header, headerLast)
	if err != nil || before != last {
		return answerEnd{}, fmt.Errorf("%w: a part of an answer was lost", kv.ErrUnavailable)
	}
	end := answerEnd{}
	if end.pending, err = headerUint(m.Header, headerPending); err != nil {
		return end, err
	}
	if m.Header.Get(headerUpTo) != "" {
		end.upTo, err = headerUint(m.Header, headerUpTo)
	}
	return end, err
}
