package jetstream

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// Store is a [kv.Store] on one bucket. Make one with [Open].
type Store struct {
	nc       *nats.Conn
	bucket   Bucket
	replicas int // as the server has it
	// pin makes checks on prefixes hold the whole stream still; see expectPage.
	pin bool

	stream     string // the stream's name
	keys       string // what all keys' subjects begin with
	guard      string // the subject of messages that only carry a check
	feedPrefix string // what the server republishes under
	walk       int    // messages of one answer when walking

	seen    seenRevisions
	pages   seenPages
	fill    fillGauge
	batches chan struct{} // a slot for each atomic batch under way

	life context.Context // ends with Close
	end  context.CancelFunc
}

// Store keeps the promise of its doc.
var _ kv.Store = (*Store)(nil)

// newStore lays out the names of a bucket. Guards live beside the keys, so
// that they do not count as changes of the empty prefix.
func newStore(nc *nats.Conn, b Bucket) *Store {
	s := &Store{
		nc:         nc,
		bucket:     b,
		replicas:   b.Replicas,
		stream:     "KV_" + b.Name,
		keys:       "$KV." + b.Name + ".",
		guard:      "$LG." + b.Name,
		feedPrefix: "$LF." + b.Name + ".",
		walk:       walkMessages,
		batches:    make(chan struct{}, maxBatches),
	}
	s.life, s.end = context.WithCancel(context.Background())
	return s
}

// subject is where a key's messages are.
func (s *Store) subject(key string) string { return s.keys + encodeKey(key) }

// filter is the subject that matches all keys under a checked prefix.
func (s *Store) filter(prefix string) string {
	if prefix == "" {
		return s.keys + ">"
	}
	return s.subject(prefix) + ">"
}

// ready returns an error if the store was closed or the context is over.
func (s *Store) ready(ctx context.Context) error {
	if s.life.Err() != nil {
		return fmt.Errorf("%w: the store on bucket %s", kv.ErrClosed, s.bucket.Name)
	}
	return ctx.Err()
}

// Get implements [kv.Store]. It asks the bucket's leader, so it sees every
// write that was acknowledged before.
//
// There is one exception, in a cluster whose network is cut: a leader that has
// just lost the others does not know it yet, and those who can reach only it
// may for up to 5 s (measured; the server gives no bound) get what was true
// before the cut, while the others have elected a new leader and go on. Then
// the calls end with ErrUnavailable. Commits are not affected: the old leader
// can acknowledge none. Who must not act on what is that old, such as a check
// whether a session was ended, reads through a cache of package near: it
// answers only while a heartbeat written through the store has come back within
// its lease (2 s by default), which a leader without the others cannot give.
func (s *Store) Get(ctx context.Context, key string) (kv.Entry, error) {
	if err := kv.CheckKey(key); err != nil {
		return kv.Entry{}, err
	}
	if err := s.ready(ctx); err != nil {
		return kv.Entry{}, err
	}
	ctx, cancel := withDefaultTimeout(ctx, callTimeout)
	defer cancel()
	r, err := s.lastRecord(ctx, key)
	if err != nil {
		return kv.Entry{}, err
	}
	if !r.alive(time.Now()) {
		return kv.Entry{}, notFound(key)
	}
	return r.entry, nil
}

// lastRecord returns the newest record of a key from the leader, which may be
// a deletion or an expired value; ErrNotFound if there is none.
func (s *Store) lastRecord(ctx context.Context, key string) (record, error) {
	m, err := s.lastMsg(ctx, s.subject(key))
	if errors.Is(err, kv.ErrNotFound) {
		return record{}, notFound(key)
	}
	if err != nil {
		return record{}, err
	}
	r, err := s.decodeMsg(m)
	if err != nil {
		return record{}, err
	}
	s.seen.add(r)
	return r, nil
}

// notFound names the key that is absent.
func notFound(key string) error { return fmt.Errorf("%w: %.80q", kv.ErrNotFound, key) }

// Close implements [kv.Store]. Its feeds end; the connection stays open.
func (s *Store) Close() error {
	s.end()
	return nil
}
