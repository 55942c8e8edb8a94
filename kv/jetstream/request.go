package jetstream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// Times of calls.
const (
	// callTimeout bounds a call whose context has no deadline.
	callTimeout = 5 * time.Second
	// firstTry is how long the first answer to a read is waited for before it is
	// asked again: the leader may have died with the question. Each further
	// wait is twice as long, up to tryTimeout.
	firstTry   = 500 * time.Millisecond
	tryTimeout = 2 * time.Second
	// firstPause and maxPause are the pauses between tries, halved at random.
	firstPause = 4 * time.Millisecond
	maxPause   = 400 * time.Millisecond
)

// backoff makes growing pauses with jitter.
type backoff struct{ next time.Duration }

// newBackoff starts with the shortest pause.
func newBackoff() *backoff { return &backoff{next: firstPause} }

// sleep pauses, or returns the context's error.
func (b *backoff) sleep(ctx context.Context) error {
	t := time.NewTimer(b.next/2 + rand.N(b.next/2+1))
	defer t.Stop()
	b.next = min(2*b.next, maxPause)
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// withDefaultTimeout bounds a context that has no deadline.
func withDefaultTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// unavailable wraps what went wrong on the way to the store. A context that
// its caller cancelled is no fault of the store.
func unavailable(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, kv.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", kv.ErrUnavailable, err)
}

// read runs one safe request and tries again while the store has no leader,
// until ctx ends. Answers that say more than "not now" go to the caller.
func (s *Store) read(ctx context.Context, try func(context.Context) error) error {
	for wait, answer := newBackoff(), firstTry; ; answer = min(2*answer, tryTimeout) {
		one, cancel := context.WithTimeout(ctx, answer)
		err := try(one)
		cancel()
		if err == nil || !errors.Is(err, kv.ErrUnavailable) || errors.Is(err, nats.ErrConnectionClosed) || ctx.Err() != nil {
			return err
		}
		if wait.sleep(ctx) != nil {
			return err
		}
	}
}

// lastMsg returns the newest message of a subject from the leader, with the
// headers of a direct get, or ErrNotFound.
func (s *Store) lastMsg(ctx context.Context, subject string) (m *nats.Msg, err error) {
	err = s.read(ctx, func(ctx context.Context) error {
		if s.replicas == 1 {
			m, err = s.directLast(ctx, subject)
		} else {
			m, err = s.leaderLast(ctx, subject)
		}
		return err
	})
	return m, err
}

// lastRecordSeq is the sequence of the newest message that matches a subject,
// which may hold wildcards.
func (s *Store) lastRecordSeq(ctx context.Context, subject string) (uint64, error) {
	m, err := s.lastMsg(ctx, subject)
	if err != nil {
		return 0, err
	}
	return headerUint(m.Header, headerSequence)
}

// directLast asks by direct get. Any replica may answer, so it is only for
// streams that have one.
func (s *Store) directLast(ctx context.Context, subject string) (*nats.Msg, error) {
	m, err := s.nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+s.stream+"."+subject, nil)
	if err != nil {
		return nil, unavailable(err)
	}
	return m, directStatus(m, subject)
}

// directStatus returns the error that a direct get's answer stands for.
func directStatus(m *nats.Msg, subject string) error {
	switch status := m.Header.Get(headerStatus); status {
	case "":
		return nil
	case "404":
		return notFound(subject)
	case "413":
		return errTooMany
	default:
		return fmt.Errorf("%w: the server answered %s %s", kv.ErrUnavailable, status, m.Header.Get("Description"))
	}
}

// errTooMany says that one answer cannot hold that many keys.
var errTooMany = errors.New("jetstream: too many results for one answer")

// leaderLast asks for a message in the way that only a stream's leader
// answers, and gives it the form of a direct get.
func (s *Store) leaderLast(ctx context.Context, subject string) (*nats.Msg, error) {
	body, err := json.Marshal(server.JSApiMsgGetRequest{LastFor: subject})
	if err != nil {
		return nil, err
	}
	m, err := s.nc.RequestWithContext(ctx, "$JS.API.STREAM.MSG.GET."+s.stream, body)
	if err != nil {
		return nil, unavailable(err)
	}
	var resp server.JSApiMsgGetResponse
	if err := json.Unmarshal(m.Data, &resp); err != nil {
		return nil, fmt.Errorf("%w: the leader's answer: %w", errMalformed, err)
	}
	if resp.Error != nil {
		return nil, apiError(resp.Error.ErrCode, resp.Error.Description)
	}
	if resp.Message == nil {
		return nil, fmt.Errorf("%w: the leader's answer holds no message", errMalformed)
	}
	out := &nats.Msg{Header: nats.Header{}, Data: resp.Message.Data}
	if len(resp.Message.Header) > 0 {
		if out.Header, err = nats.DecodeHeadersMsg(resp.Message.Header); err != nil {
			return nil, fmt.Errorf("%w: the headers of message %d: %w", errMalformed, resp.Message.Sequence, err)
		}
	}
	out.Header.Set(headerSubject, resp.Message.Subject)
	out.Header.Set(headerSequence, strconv.FormatUint(resp.Message.Sequence, 10))
	out.Header.Set(headerTime, resp.Message.Time.Format(time.RFC3339Nano))
	return out, nil
}

// apiError turns a code of the server into an error of the contract.
func apiError(code uint16, description string) error {
	kind := kv.ErrUnavailable
	switch server.ErrorIdentifier(code) {
	case server.JSNoMessageFoundErr:
		kind = kv.ErrNotFound
	case server.JSStreamWrongLastSequenceErrF:
		return newWrongSequence(description)
	case server.JSAtomicPublishContainsDuplicateMessageErr:
		return fmt.Errorf("%w: %s (%d)", errDuplicate, description, code)
	case server.JSStreamWrongLastSequenceConstantErr:
		return fmt.Errorf("%w: %s (%d)", errInProcess, description, code)
	case server.JSAtomicPublishIncompleteBatchErr, server.JSAtomicPublishTooManyInflight:
		return fmt.Errorf("%w: %s (%d)", errNotTaken, description, code)
	case server.JSInsufficientResourcesErr, server.JSStorageResourcesExceededErr, server.JSStreamStoreFailedF:
		return fmt.Errorf("%w: the disk is full, or the store has reached its limit: make room, then start again (%s, %d)", kind, description, code)
	case server.JSStreamMessageExceedsMaximumErr, server.JSStreamHeaderExceedsMaximumErr, server.JSAtomicPublishTooLargeBatchErrF:
		kind = kv.ErrTooLarge
	}
	return fmt.Errorf("%w: %s (%d)", kind, description, code)
}

// wrongSequence is the conflict of a write whose expectation did not hold.
type wrongSequence struct {
	found uint64 // the sequence that the server found, zero if it did not say
	text  string
}

// newWrongSequence reads the server's words "wrong last sequence: 7".
func newWrongSequence(description string) error {
	e := &wrongSequence{text: description}
	if i := strings.LastIndexByte(description, ' '); i >= 0 {
		e.found, _ = strconv.ParseUint(description[i+1:], 10, 64)
	}
	return e
}

// Error implements error.
func (e *wrongSequence) Error() string { return kv.ErrConflict.Error() + ": " + e.text }

// Unwrap makes it a conflict.
func (e *wrongSequence) Unwrap() error { return kv.ErrConflict }

var (
	// errInProcess says that a write to a checked key is under way: the check
	// can be told only after it.
	errInProcess = fmt.Errorf("%w: a write to the same key is under way", kv.ErrConflict)
	// errDuplicate says that the stream has stored an earlier try of a batch.
	errDuplicate = errors.New("jetstream: the batch was stored by an earlier try")
	// errNotTaken says that the server did not take a batch, so that nothing
	// happened and it can be sent again.
	errNotTaken = fmt.Errorf("%w: the server did not take the batch", kv.ErrUnavailable)
)
