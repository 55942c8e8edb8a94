package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/lectern-lms/lectern/kv"
)

// Storage says where a bucket lives.
type Storage uint8

// The kinds of storage. Memory is lost with the server, and lists keys far
// more slowly in large buckets.
const (
	File Storage = iota
	Memory
)

// Bucket describes a bucket for [Open].
type Bucket struct {
	// Name has 1 to 32 characters of a-z, A-Z, 0-9, "-" and "_".
	Name string
	// Replicas is 1, 3 or 5; zero means 1.
	Replicas int
	// MaxBytes is the size from which values are refused, zero for none. The
	// stream itself is a little larger, so that deletions still fit.
	MaxBytes int64
	// Storage is File unless set. It cannot be changed later.
	Storage Storage
	// Logger takes warnings of the store; slog.Default if nil.
	Logger *slog.Logger
}

// maxBucketName keeps subjects with the longest key under the control line.
const maxBucketName = 32

// openTimeout bounds Open when its context has no deadline.
const openTimeout = 30 * time.Second

// Open makes or updates the bucket and returns a store on it. While a cluster
// forms or elects, it tries again until ctx ends (30 s at most without a
// deadline). Close leaves nc open: it belongs to the caller.
func Open(ctx context.Context, nc *nats.Conn, b Bucket) (*Store, error) {
	b, err := b.checked()
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("jetstream: open bucket %s: %w", b.Name, err)
	}
	ctx, cancel := withDefaultTimeout(ctx, openTimeout)
	defer cancel()
	s := newStore(nc, b)
	for wait := newBackoff(); ; {
		err = s.prepare(ctx, js)
		if err == nil {
			return s, nil
		}
		if !passing(err) || wait.sleep(ctx) != nil {
			return nil, fmt.Errorf("jetstream: open bucket %s: %w", b.Name, openError(err))
		}
	}
}

// checked fills in defaults and refuses what cannot work.
func (b Bucket) checked() (Bucket, error) {
	if b.Name == "" || len(b.Name) > maxBucketName {
		return b, fmt.Errorf("%w: the bucket name %.40q must have 1 to %d characters", kv.ErrInvalid, b.Name, maxBucketName)
	}
	for i := range len(b.Name) {
		if !plain(b.Name[i]) {
			return b, fmt.Errorf("%w: the bucket name %q may hold only letters, digits, - and _", kv.ErrInvalid, b.Name)
		}
	}
	b.Replicas = max(b.Replicas, 1)
	if b.Logger == nil {
		b.Logger = slog.Default()
	}
	return b, nil
}

// prepare makes the stream as it should be and sees that its guard exists.
func (s *Store) prepare(ctx context.Context, js jetstream.JetStream) error {
	try, cancel := context.WithTimeout(ctx, tryTimeout)
	defer cancel()
	stream, err := s.ensure(try, js)
	if err != nil {
		return err
	}
	s.replicas = max(stream.CachedInfo().Config.Replicas, 1)
	s.pin = s.replicas > 1
	if _, err := s.lastRecordSeq(try, s.guard); err == nil || !errors.Is(err, kv.ErrNotFound) {
		return err
	}
	_, err = s.publish(try, &nats.Msg{Subject: s.guard})
	return err
}

// ensure makes the stream, or changes it if it is not as it should be. One that
// is needs no write, which a cluster would have to agree on at each start of
// each process.
func (s *Store) ensure(ctx context.Context, js jetstream.JetStream) (jetstream.Stream, error) {
	stream, err := js.Stream(ctx, s.stream)
	if err == nil && fits(stream.CachedInfo().Config, s.config()) {
		return stream, nil
	}
	if err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, err
	}
	return js.CreateOrUpdateStream(ctx, s.config())
}

// fits tells whether the stream has what config sets; what config leaves at
// zero the server fills in.
func fits(have, want jetstream.StreamConfig) bool {
	return slices.Equal(have.Subjects, want.Subjects) && have.MaxMsgsPerSubject == want.MaxMsgsPerSubject &&
		have.MaxBytes == want.MaxBytes && have.Discard == want.Discard && have.Replicas == want.Replicas &&
		have.Storage == want.Storage && have.DenyDelete && have.AllowRollup && have.AllowDirect && have.AllowMsgTTL &&
		have.AllowAtomicPublish && have.Duplicates == want.Duplicates && have.SubjectDeleteMarkerTTL == want.SubjectDeleteMarkerTTL &&
		have.RePublish != nil && *have.RePublish == *want.RePublish
}

// config is the stream of the bucket.
func (s *Store) config() jetstream.StreamConfig {
	c := jetstream.StreamConfig{
		Name:                   s.stream,
		Subjects:               []string{s.keys + ">", s.guard},
		MaxMsgsPerSubject:      1,
		MaxBytes:               -1,
		Discard:                jetstream.DiscardNew,
		Replicas:               s.bucket.Replicas,
		Storage:                jetstream.FileStorage,
		DenyDelete:             true,
		AllowRollup:            true,
		AllowDirect:            true,
		AllowMsgTTL:            true,
		AllowAtomicPublish:     true,
		Duplicates:             dedupeWindow,
		SubjectDeleteMarkerTTL: kv.TombstoneAge,
		RePublish:              &jetstream.RePublish{Source: ">", Destination: s.feedPrefix + ">"},
	}
	if s.bucket.MaxBytes > 0 {
		c.MaxBytes = s.bucket.MaxBytes + s.reserve()
	}
	if s.bucket.Storage == Memory {
		c.Storage = jetstream.MemoryStorage
	}
	return c
}

// passing tells whether an error of Open may go away by itself: the cluster is
// still forming, or another process makes the same stream.
func passing(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		switch server.ErrorIdentifier(api.ErrorCode) {
		case server.JSClusterNotAvailErr, server.JSClusterNoPeersErrF, server.JSClusterNotActiveErr,
			server.JSClusterIncompleteErr, server.JSClusterNotLeaderErr, server.JSStreamNameExistErr,
			server.JSStreamNotFoundErr, server.JSStreamOfflineErr, server.JSNotEnabledErr:
			return true
		}
		return api.Code == 503
	}
	return errors.Is(err, kv.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) ||
		errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrJetStreamNotEnabled) ||
		errors.Is(err, nats.ErrReconnectBufExceeded) || errors.Is(err, nats.ErrDisconnected)
}

// openError makes an error that passes by one that callers know.
func openError(err error) error {
	if passing(err) && !errors.Is(err, kv.ErrUnavailable) {
		return fmt.Errorf("%w: %w", kv.ErrUnavailable, err)
	}
	return err
}
