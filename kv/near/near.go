package near

import (
	"context"
	"crypto/rand"
	"fmt"
	"hash/maphash"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Lease is how long a member answers from memory after it began the newest
// heartbeat that came back through its feed. It is the same for all members.
const Lease = 2 * time.Second

const (
	// prefix is what this package keeps for itself in the store.
	prefix = "near/"
	// beatPrefix holds the heartbeats, one key for each member.
	beatPrefix = prefix + "beat/"
	// defaultMaxBytes is about 40,000 sessions.
	defaultMaxBytes = 32 << 20
	// pageShare is the part of the bytes that pages of Scan may take.
	pageShare = 4
)

// Options are how a Store is made; the zero value works.
type Options struct {
	// MaxBytes bounds the memory of what is kept, keys, values and our own
	// structures included; 32 MiB if zero.
	MaxBytes int64
	// Keep tells whether a key, or the pages of a prefix, may be kept; nil for
	// all. The rest is always read from the store, as if there were no cache.
	Keep func(path string) bool
	// Logger takes warnings when the feed ends; slog.Default if nil.
	Logger *slog.Logger
}

// Store is a near cache. Make one with [New].
type Store struct {
	store   kv.Store
	keep    func(path string) bool
	log     *slog.Logger
	beatKey string // this member's heartbeat

	seed   maphash.Seed
	shards []shard
	pages  pages

	// term counts the begins and the ends of feeds, so it is odd while there is
	// one. What was asked for in another term is not kept and not shared, since
	// changes in between were not seen.
	term atomic.Uint64
	// position is the revision of the newest change that was taken in.
	position atomic.Uint64
	begin    atomic.Uint64 // the revision at which the feed began
	// foreign is the newest change that is no heartbeat.
	foreign atomic.Uint64
	// shown is the newest revision that anybody may have seen through this
	// Store; nothing is answered from memory that may be older.
	shown    atomic.Uint64
	flights  flights
	hopeless atomic.Int64         // until when nobody waits for the feed, in nanoseconds since 1970
	lease    atomic.Pointer[mark] // newest heartbeat that came back; nil without a feed
	acked    atomic.Pointer[mark] // newest heartbeat that the store has acknowledged
	news     bell                 // rings when position or lease has changed

	pulse   pulse
	members members
	counts  counts

	life context.Context // ends with Close
	end  context.CancelFunc
	wait sync.WaitGroup
	once sync.Once
	shut error // what Close returned
}

// Store keeps the promises of its doc.
var (
	_ kv.Store  = (*Store)(nil)
	_ kv.Fencer = (*Store)(nil)
)

// New makes a cache over store, which belongs to it from then on: Close closes
// both. It does not wait: until its feed has begun, reads are passed through.
func New(store kv.Store, o Options) *Store {
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.Keep == nil {
		o.Keep = func(string) bool { return true }
	}
	s := &Store{store: store, keep: o.Keep, log: o.Logger, beatKey: beatPrefix + rand.Text(), seed: maphash.MakeSeed()}
	s.shards = newShards(o.MaxBytes-o.MaxBytes/pageShare, &s.counts)
	s.pages.init(o.MaxBytes/pageShare, &s.counts)
	s.pulse.pokes = make(chan struct{}, 1)
	s.members.seen = map[string]member{}
	s.life, s.end = context.WithCancel(context.Background())
	s.wait.Go(s.keepFollowing)
	s.wait.Go(s.keepBeating)
	return s
}

// Close implements [kv.Store]. It leaves the members and closes the store
// below; the data stay.
func (s *Store) Close() error {
	s.once.Do(func() {
		s.end()
		s.wait.Wait()
		s.lose()
		// So that nobody waits for this member. If it fails, they wait for the
		// Lease, as for one that died.
		ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
		defer cancel()
		if s.acked.Load() != nil {
			if _, err := s.store.Commit(ctx, nil, []kv.Write{kv.Delete(s.beatKey)}); err != nil {
				s.log.Debug("near cache did not take leave", "error", err)
			}
		}
		s.shut = s.store.Close()
	})
	return s.shut
}

// leaveTimeout bounds the last write of a member that closes.
const leaveTimeout = time.Second

// open returns an error if the store was closed or the context is over.
func (s *Store) open(ctx context.Context) error {
	if s.life.Err() != nil {
		return fmt.Errorf("%w: the near cache", kv.ErrClosed)
	}
	return ctx.Err()
}
