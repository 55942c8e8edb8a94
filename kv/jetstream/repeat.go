package jetstream

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"github.com/lectern-lms/lectern/kv"
)

// Times of commits on a cluster.
const (
	// firstAnswer is how long the answer to a write is waited for before the
	// write is sent again; each further wait is twice as long. An answer takes
	// a millisecond, but a leader that steps down forgets what it was sent.
	firstAnswer = 250 * time.Millisecond
	maxAnswer   = time.Second
	// dedupeWindow is for how long the stream knows the ids of its messages,
	// and repeatFor how long a write is sent again: well within it, so that
	// clocks and a slow way cannot bring them together.
	dedupeWindow = 20 * time.Second
	repeatFor    = dedupeWindow / 2
	// lateAnswer is how long the answer to an earlier try is waited for when a
	// later one was refused.
	lateAnswer = time.Second
)

// errUnknown says that writes may or may not have happened.
var errUnknown = fmt.Errorf("%w: the outcome of the write is unknown", kv.ErrUnavailable)

// tries are the attempts of one write to reach a replicated stream.
type tries struct {
	store   *Store
	ctx     context.Context
	msgs    []*nats.Msg
	id      string
	sent    int
	pending int // without an answer so far
	answers chan answer
}

// answer is what came of one try.
type answer struct {
	seq uint64
	err error
}

// sendRepeating sends a plan's messages to a replicated stream. When a leader
// dies or steps down, the answer may not come; then they are sent again. The
// first message carries an id, by which every replica knows whether it has
// stored it, so nothing happens twice. That nothing happened at all is known
// only when every try was answered so; otherwise the outcome is unknown.
//
// The ids are in memory and, for messages that were not overwritten, in the
// stream. So one case is left in which a blind write can happen twice: within
// repeatFor it was stored, overwritten by another, and a node that had been
// restarted since became the leader.
func (s *Store) sendRepeating(ctx context.Context, msgs []*nats.Msg) (uint64, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := &tries{store: s, ctx: ctx, msgs: msgs, id: nuid.Next(), answers: make(chan answer, 1)}
	msgs[0].Header.Set(headerMsgID, t.id)
	t.send()
	wait, pause, stop := firstAnswer, newBackoff(), time.Now().Add(repeatFor)
	again := time.NewTimer(wait)
	defer again.Stop()
	for {
		select {
		case a := <-t.answers:
			t.pending--
			if done, seq, err := t.judge(a); done {
				return seq, err
			}
			if t.pending == 0 && pause.sleep(ctx) == nil {
				t.send()
			}
		case <-again.C:
			if time.Now().After(stop) {
				return 0, errUnknown
			}
			t.send()
			wait = min(2*wait, maxAnswer)
			again.Reset(wait)
		case <-ctx.Done():
			return 0, fmt.Errorf("%w: %w", errUnknown, ctx.Err())
		}
	}
}

// send makes another try in the background. Each has messages of its own,
// since those of a batch carry the try's name.
func (t *tries) send() {
	msgs := t.msgs
	if t.sent > 0 {
		msgs = make([]*nats.Msg, len(t.msgs))
		for i, m := range t.msgs {
			msgs[i] = &nats.Msg{Subject: m.Subject, Data: m.Data, Header: maps.Clone(m.Header)}
		}
	}
	id := fmt.Sprint(t.id, "-", t.sent)
	t.sent++
	t.pending++
	go func() {
		seq, err := t.store.sendOnce(t.ctx, msgs, id)
		select {
		case t.answers <- answer{seq, err}:
		case <-t.ctx.Done(): // nobody waits for it any more
		}
	}()
}

// judge says whether an answer decides the write, and how.
func (t *tries) judge(a answer) (done bool, seq uint64, err error) {
	switch {
	case a.err == nil:
		return true, a.seq, nil
	case errors.Is(a.err, errDuplicate):
		seq, err = t.store.sequenceOf(t.ctx, t.msgs[len(t.msgs)-1].Subject, t.id)
		return true, seq, err
	case noAnswer(a.err):
		return true, 0, fmt.Errorf("%w: %w", errUnknown, a.err)
	case t.sent == 1:
		return true, 0, a.err
	case !errors.Is(a.err, kv.ErrConflict) || errors.Is(a.err, errInProcess):
		return false, 0, nil // perhaps it is the earlier try that is under way
	case t.pending == 0:
		return true, 0, a.err
	}
	select {
	case late := <-t.answers:
		t.pending--
		return t.judge(late)
	case <-time.After(lateAnswer):
		return true, 0, fmt.Errorf("%w: sent again, it met a conflict, perhaps with itself", errUnknown)
	case <-t.ctx.Done():
		return true, 0, fmt.Errorf("%w: %w", errUnknown, t.ctx.Err())
	}
}

// noAnswer tells whether a write was sent and nothing is known of it.
func noAnswer(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrDisconnected) || errors.Is(err, nats.ErrConnectionClosed)
}

// sequenceOf finds the sequence of a batch that was stored by an earlier try:
// that of its last message, unless that was overwritten already.
func (s *Store) sequenceOf(ctx context.Context, subject, id string) (uint64, error) {
	m, err := s.lastMsg(ctx, subject)
	if err != nil || !strings.HasPrefix(m.Header.Get(headerBatch), id+"-") {
		return 0, fmt.Errorf("%w: it was written, but its revision is not known any more", errUnknown)
	}
	return headerUint(m.Header, headerSequence)
}
