package redis

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Bucket describes a bucket for [Open].
type Bucket struct {
	// Name has 1 to 32 characters of a-z, A-Z, 0-9, "-" and "_".
	Name string
	// Volatile says that the bucket may be lost: found empty or replaced, it
	// is begun anew, as is right for sessions. Otherwise all calls fail then.
	Volatile bool
	// Epoch, if set, is the [Store.Epoch] that the bucket must have: Open makes
	// none then, and fails with [ErrReplaced] on another one.
	Epoch string

	tombstones time.Duration // how long deletions are kept; zero for tombstoneAge
	span       time.Duration // how long after it was first sent a commit may run; zero for commitSpan
}

// maxBucketName bounds the names of buckets.
const maxBucketName = 32

// The longest that calls try, whatever their contexts say.
const (
	// readTimeout is for what reads a few keys.
	readTimeout = 2 * time.Second
	// commitTimeout is for a commit, which may be large.
	commitTimeout = 5 * time.Second
	// scanTimeout is for a Scan, which may read a large bucket.
	scanTimeout = time.Minute
	// openTimeout is for Open, if its context has no deadline.
	openTimeout = 30 * time.Second
)

// Store is a [kv.Store] on one bucket. Make one with [Open].
type Store struct {
	conn    *Conn
	bucket  Bucket
	keys    []string // as the scripts want them
	channel string   // where commits are announced
	log     *slog.Logger

	view    atomic.Pointer[view]
	meeting chan struct{} // holds a token while a call meets the bucket
	era     atomic.Uint64 // grows when feeds can no longer be right
	clock   clock
	hub     hub

	life context.Context // ends with Close
	end  context.CancelFunc
	work sync.WaitGroup // the goroutines of the store
}

// view is what the store knows of its bucket.
type view struct {
	run   string // as in the bucket
	epoch *epoch
	gaps  []gap
}

// epoch is one life of a bucket.
type epoch struct {
	id   string
	seen atomic.Uint64 // the newest revision that this process has seen in it
}

// saw notes a revision that the bucket had or has.
func (e *epoch) saw(rev uint64) {
	for {
		old := e.seen.Load()
		if rev <= old || e.seen.CompareAndSwap(old, rev) {
			return
		}
	}
}

// gap lies between two runs of an epoch: revisions between its ends may have
// been given out and lost.
type gap struct{ low, high uint64 }

// lost tells whether a revision lies in a gap.
func (v *view) lost(rev uint64) bool {
	for _, g := range v.gaps {
		if rev > g.low && rev < g.high {
			return true
		}
	}
	return false
}

// Open makes the bucket if there is none, and returns a store on it. It tries
// again while the server is loading or cannot be reached, until ctx ends (30 s
// at most without a deadline). Close leaves c open.
func Open(ctx context.Context, c *Conn, b Bucket) (*Store, error) {
	if err := checkBucketName(b.Name); err != nil {
		return nil, err
	}
	tag := "{lectern:" + b.Name + "}"
	s := &Store{conn: c, bucket: b, channel: tag + ":changes", meeting: make(chan struct{}, 1)}
	s.bucket.tombstones, s.bucket.span = cmp.Or(b.tombstones, tombstoneAge), cmp.Or(b.span, commitSpan)
	s.log = c.options.Logger.With("bucket", b.Name)
	for _, part := range []string{"meta", "data", "index", "order", "due", "ids0", "ids1"} {
		s.keys = append(s.keys, tag+":"+part)
	}
	s.clock.base = time.Now()
	s.hub.wake = make(chan struct{})
	s.life, s.end = context.WithCancel(context.Background())
	ctx, cancel := withDefaultTimeout(ctx, openTimeout)
	defer cancel()
	s.view.Store(&view{epoch: &epoch{id: b.Epoch}})
	if err := s.meet(ctx, s.view.Load()); err != nil {
		s.end()
		return nil, fmt.Errorf("redis: open bucket %s on %s: %w", b.Name, c, err)
	}
	s.work.Go(s.keep)
	s.work.Go(s.listen)
	return s, nil
}

// checkBucketName refuses names that would break the keys.
func checkBucketName(name string) error {
	if name == "" || len(name) > maxBucketName {
		return fmt.Errorf("%w: the bucket name %.40q must have 1 to %d characters", kv.ErrInvalid, name, maxBucketName)
	}
	for _, c := range []byte(name) {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return fmt.Errorf("%w: the bucket name %q may hold only letters, digits, - and _", kv.ErrInvalid, name)
		}
	}
	return nil
}

// Get implements [kv.Store]. It asks the primary, so it sees every write that
// was acknowledged before.
func (s *Store) Get(ctx context.Context, key string) (kv.Entry, error) {
	if err := kv.CheckKey(key); err != nil {
		return kv.Entry{}, err
	}
	a, err := s.ask(ctx, readTimeout, getScript, key)
	if err != nil {
		return kv.Entry{}, err
	}
	data, found := a.text(0)
	if a.err != nil {
		return kv.Entry{}, a.err
	}
	if !found {
		return kv.Entry{}, notFound(key)
	}
	r, err := decodeRecord(key, data)
	if err != nil {
		return kv.Entry{}, err
	}
	if !r.alive(a.now) {
		return kv.Entry{}, notFound(key)
	}
	return r.entry, nil
}

// notFound names the key that is absent.
func notFound(key string) error { return fmt.Errorf("%w: %.80q", kv.ErrNotFound, key) }

// Epoch tells one life of the bucket from another: it is another one if the
// bucket was emptied or replaced. It may be given to [Bucket.Epoch].
func (s *Store) Epoch() string { return s.view.Load().epoch.id }

// ready returns an error if the store was closed or the context is over.
func (s *Store) ready(ctx context.Context) error {
	if s.life.Err() != nil {
		return fmt.Errorf("%w: the store on bucket %s", kv.ErrClosed, s.bucket.Name)
	}
	return ctx.Err()
}

// Close implements [kv.Store]. Its feeds end; the connection stays open.
func (s *Store) Close() error {
	s.end()
	s.work.Wait()
	return nil
}

// withDefaultTimeout bounds a context that has no deadline.
func withDefaultTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}
