package jetstream

import (
	"context"
	"errors"
	"fmt"
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
	// dedupeWindow is for how long the stream knows the ids of its messages,
	// and repeatFor how long a write is sent again: well within it, so that
	// clocks and a slow way cannot bring them together.
	dedupeWindow = 20 * time.Second
	repeatFor    = dedupeWindow / 2
)

// errUnknown says that writes may or may not have happened.
var errUnknown = fmt.Errorf("%w: the outcome of the write is unknown", kv.ErrUnavailable)

// sendRepeating sends a plan's messages to a replicated stream. When a leader
// dies or steps down, the answer may not come; then they are sent again. The
// first message carries an id, by which every replica knows whether it has
// stored it, so nothing happens twice. Once a write was sent again, an error
// no longer tells that the first try did nothing: the outcome is unknown.
//
// The ids are in memory and, for messages that were not overwritten, in the
// stream. So one case is left in which a write can happen twice: within
// repeatFor it was stored, overwritten by another, and a node that had been
// restarted since became the leader. A checked write is safe then too.
func (s *Store) sendRepeating(ctx context.Context, msgs []*nats.Msg) (uint64, error) {
	id := nuid.Next()
	msgs[0].Header.Set(headerMsgID, id)
	stop := time.Now().Add(repeatFor)
	pause := newBackoff()
	for try, wait := 0, firstAnswer; ; try++ {
		one, cancel := context.WithTimeout(ctx, wait)
		seq, err := s.sendOnce(one, msgs, fmt.Sprint(id, "-", try))
		cancel()
		switch {
		case err == nil:
			return seq, nil
		case errors.Is(err, errDuplicate):
			return s.sequenceOf(ctx, msgs[len(msgs)-1].Subject, id)
		case try == 0 && !noAnswer(err):
			return 0, err
		case errors.Is(err, kv.ErrConflict) && !errors.Is(err, errInProcess):
			return 0, fmt.Errorf("%w: sent again, it met a conflict, perhaps with itself", errUnknown)
		case ctx.Err() != nil, time.Now().After(stop), errors.Is(err, nats.ErrConnectionClosed):
			return 0, fmt.Errorf("%w: %w", errUnknown, err)
		}
		if noAnswer(err) {
			wait *= 2
		} else if pause.sleep(ctx) != nil {
			return 0, fmt.Errorf("%w: %w", errUnknown, err)
		}
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
