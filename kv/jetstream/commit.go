package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/lectern-lms/lectern/kv"
)

const (
	// maxBatches is how many atomic batches one store has under way; the
	// server allows 50 for each stream, from all processes.
	maxBatches = 8
	// maxAttempts is how often a commit is planned anew when the state that it
	// was planned on has changed in a way that need not be a conflict. While
	// there is no leader it is tried until its time is over.
	maxAttempts = 12
)

// Commit implements [kv.Store]. One message if that can hold all writes and
// checks, else an atomic batch.
func (s *Store) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if err := kv.CheckCommit(checks, writes); err != nil {
		return 0, err
	}
	if err := s.ready(ctx); err != nil || len(checks)+len(writes) == 0 {
		return 0, err
	}
	ctx, cancel := withDefaultTimeout(ctx, callTimeout)
	defer cancel()
	if err := s.checkFill(ctx, writes); err != nil {
		return 0, err
	}
	return s.attempts(ctx, checks, writes)
}

// attempts plans and sends until the server's answer is final. A check for
// absence may fail because a deletion marker came or went, and the server does
// not say which check failed; so with such checks a conflict is final only
// when a new plan finds a failed check or, on one replica, rests on the same
// state as before. With several, the server compares with writes that are on
// their way too, and what is read may be the same again until they are there.
func (s *Store) attempts(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	guess := len(checks) == 1 && len(writes) == 1
	var before *plan
	wait := newBackoff()
	for attempt := 1; ; attempt++ {
		p, err := s.plan(ctx, checks, writes, guess && attempt == 1, attempt == 1)
		if err != nil {
			return 0, err
		}
		last, err := s.send(ctx, p.msgs)
		if err == nil {
			return s.committed(p, len(writes), last), nil
		}
		guessed := guess && attempt == 1 || p.moved(err)
		tired := attempt >= maxAttempts && errors.Is(err, kv.ErrConflict)
		if tired || !again(ctx, err, p.soft && (guessed || s.replicas > 1 || !p.same(before))) {
			return 0, err
		}
		before = p
		if attempt > 1 && wait.sleep(ctx) != nil {
			return 0, err
		}
	}
}

// moved tells whether a commit failed because the stream moved on from where
// it was pinned: something was written, which need not touch a check. The
// server tells the sequence that it found, of the stream or of a checked key.
func (p *plan) moved(err error) bool {
	var wrong *wrongSequence
	return p.stream > 0 && errors.As(err, &wrong) && wrong.found > p.stream
}

// again tells whether a failed commit may be planned anew: only after errors
// that say that nothing happened, and after a conflict only if it is not final.
func again(ctx context.Context, err error, soft bool) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case errors.Is(err, errNotTaken), errors.Is(err, errInProcess), errors.Is(err, nats.ErrNoResponders):
		return true
	}
	return soft && errors.Is(err, kv.ErrConflict)
}

// committed notes the expiry of what was written, and returns the revision of
// the last write: the messages of a batch have consecutive sequences.
func (s *Store) committed(p *plan, writes int, last uint64) kv.Revision {
	if writes == 0 {
		return 0
	}
	first := last - uint64(writes) + 1
	for i, expires := range p.expires {
		if m := p.msgs[len(p.msgs)-writes+i]; m.Header.Get(headerOperation) == "" {
			s.seen.put(kv.Revision(first+uint64(i)), expires)
		}
	}
	return kv.Revision(last)
}

// send publishes a plan's messages and returns the sequence of the last.
func (s *Store) send(ctx context.Context, msgs []*nats.Msg) (uint64, error) {
	if len(msgs) > 1 {
		select {
		case s.batches <- struct{}{}:
			defer func() { <-s.batches }()
		case <-ctx.Done():
			return 0, unavailable(fmt.Errorf("wait for a free batch: %w", ctx.Err()))
		}
	}
	if s.replicas > 1 {
		return s.sendRepeating(ctx, msgs)
	}
	return s.sendOnce(ctx, msgs, nuid.Next())
}

// sendOnce publishes one message, or several as an atomic batch with this id.
func (s *Store) sendOnce(ctx context.Context, msgs []*nats.Msg, id string) (uint64, error) {
	if len(msgs) == 1 {
		return s.publish(ctx, msgs[0])
	}
	for i, m := range msgs {
		m.Header.Set(headerBatch, id)
		m.Header.Set(headerBatchSeq, strconv.Itoa(i+1))
		if i == len(msgs)-1 {
			m.Header.Set(headerBatchCommit, "1")
			return s.publish(ctx, m)
		}
		if err := s.nc.PublishMsg(m); err != nil {
			return 0, unavailable(err)
		}
	}
	return 0, nil
}

// pubAck is the server's answer to a message.
type pubAck struct {
	Sequence uint64 `json:"seq"`
	Error    *struct {
		Code        uint16 `json:"err_code"`
		Description string `json:"description"`
	} `json:"error"`
}

// publish sends one message and waits until the stream has stored it.
func (s *Store) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	resp, err := s.nc.RequestMsgWithContext(ctx, m)
	if err != nil {
		return 0, unavailable(err)
	}
	var ack pubAck
	if err := json.Unmarshal(resp.Data, &ack); err != nil {
		return 0, fmt.Errorf("%w: the answer to a write: %w", errMalformed, err)
	}
	if ack.Error != nil {
		return 0, apiError(ack.Error.Code, ack.Error.Description)
	}
	return ack.Sequence, nil
}
