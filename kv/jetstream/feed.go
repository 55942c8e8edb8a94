package jetstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// Times of feeds.
const (
	// lookEvery is how often a waiting feed looks at its connection.
	lookEvery = 250 * time.Millisecond
	// probeEvery is how often a feed without news asks the leader whether it
	// missed the last change.
	probeEvery = 2 * time.Second
	// feedPatience is how long a feed tries to reach the store before it gives
	// up: longer than a cluster takes to elect a leader, twice if need be.
	feedPatience = 30 * time.Second
)

// feed is a [kv.Feed]. It listens to the republished messages of the whole
// bucket, whose sequences have no gaps, and reads from the stream what it
// missed: at its start, after a gap and after a reconnection.
type feed struct {
	store  *Store
	prefix string // of the subjects that it delivers
	filter string // the same for the server
	live   *inbox
	sub    *nats.Subscription

	ready   []kv.Event
	covered uint64    // all changes up to it are delivered or in ready
	current time.Time // when covered was last known to be the newest
	behind  bool      // changes must be read from the stream
	base    uint64    // while behind: the stream's sequence when that was noticed
	next    uint64    // while behind: the next sequence to read, zero before the first
	links   uint64    // the connection's reconnections so far

	life context.Context // ends with Close or with the store
	end  context.CancelFunc
}

// Watch implements [kv.Store].
func (s *Store) Watch(ctx context.Context, prefix string, after kv.Revision) (kv.Feed, error) {
	if err := kv.CheckPrefix(prefix); err != nil {
		return nil, err
	}
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	ctx, cancel := withDefaultTimeout(ctx, callTimeout)
	defer cancel()
	filter := s.filter(prefix)
	f := &feed{
		store: s, prefix: strings.TrimSuffix(filter, ">"), filter: filter,
		live: newInbox(), covered: uint64(after), current: time.Now(), behind: true,
		links: s.nc.Stats().Reconnects,
	}
	f.life, f.end = context.WithCancel(s.life)
	var err error
	if f.sub, err = s.nc.Subscribe(s.feedPrefix+">", f.live.put); err != nil {
		f.end()
		return nil, unavailable(err)
	}
	context.AfterFunc(f.life, func() { _ = f.sub.Unsubscribe() }) // fails only on a closed connection
	// The server must know of the subscription before the stream is read.
	if err := s.nc.FlushWithContext(ctx); err != nil {
		return nil, errors.Join(unavailable(err), f.Close())
	}
	return f, nil
}

// Close implements [kv.Feed].
func (f *feed) Close() error {
	f.end()
	return nil
}

// Settled implements [kv.Settler]. Live messages are complete; the stream holds
// only the newest of each key.
func (f *feed) Settled() bool { return !f.behind && len(f.ready) == 0 }

// Next implements [kv.Feed].
func (f *feed) Next(ctx context.Context) (kv.Event, error) {
	for {
		if err := f.open(ctx); err != nil {
			return kv.Event{}, err
		}
		if len(f.ready) > 0 {
			ev := f.ready[0]
			f.ready = f.ready[1:]
			return ev, nil
		}
		step := f.await
		if f.behind {
			step = f.catchUp
		}
		if err := step(ctx); err != nil {
			return kv.Event{}, err
		}
	}
}

// open returns an error if the feed, its store or the context is over.
func (f *feed) open(ctx context.Context) error {
	if err := f.store.ready(ctx); err != nil {
		return err
	}
	if f.life.Err() != nil {
		return fmt.Errorf("%w: the feed", kv.ErrClosed)
	}
	return nil
}

// await waits for live messages and takes one, or notices that it must read
// from the stream.
func (f *feed) await(ctx context.Context) error {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		m, lost := f.live.take()
		if lost {
			f.fallBehind()
			return nil
		}
		if m != nil {
			return f.accept(m)
		}
		select {
		case <-f.live.wake:
		case <-look.C:
			if now := f.store.nc.Stats().Reconnects; now != f.links || time.Since(f.current) > probeEvery {
				f.links = now
				f.fallBehind()
				return nil
			}
		case <-f.life.Done():
			return nil
		case <-ctx.Done():
			return nil
		}
	}
}

// accept takes the next live message if it is the next sequence.
func (f *feed) accept(m *nats.Msg) error {
	seq, err := headerUint(m.Header, headerSequence)
	if err != nil {
		return err
	}
	switch {
	case seq <= f.covered:
		return nil
	case seq > f.covered+1:
		f.fallBehind()
		return nil
	}
	f.covered, f.current = seq, time.Now()
	if !strings.HasPrefix(m.Header.Get(headerSubject), f.prefix) {
		return nil
	}
	r, err := f.store.decodeMsg(m)
	if err != nil {
		return err
	}
	f.deliver(r)
	return nil
}

// deliver makes an event of a record. A value that has expired already is told
// too, since it replaced another; the server's marker for it comes later, with a
// sequence of its own.
func (f *feed) deliver(r record) {
	f.ready = append(f.ready, kv.Event{Kind: r.kind, Entry: r.entry})
}

// fallBehind starts reading from the stream.
func (f *feed) fallBehind() { f.behind, f.next = true, 0 }

// catchUp reads one page from the stream, trying for a while if it cannot.
func (f *feed) catchUp(ctx context.Context) error {
	if f.covered > 0 && time.Since(f.current) > pageAge {
		return errors.Join(fmt.Errorf("%w: the feed is so late that deletions may be forgotten", kv.ErrUnavailable), f.Close())
	}
	try, cancel := context.WithTimeout(ctx, feedPatience)
	defer cancel()
	defer context.AfterFunc(f.life, cancel)()
	err := f.readPage(try)
	switch {
	case err == nil, ctx.Err() != nil, f.life.Err() != nil:
		return nil // Next reports the end of the context or the feed.
	case errors.Is(err, kv.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		return errors.Join(fmt.Errorf("%w: the feed cannot reach the store: %w", kv.ErrUnavailable, err), f.Close())
	}
	return err
}

// readPage reads the next page, or finds that nothing was missed.
func (f *feed) readPage(ctx context.Context) error {
	if f.next == 0 {
		base, err := f.store.streamSeq(ctx)
		if err != nil {
			return err
		}
		f.base, f.next = base, f.covered+1
		switch {
		case base < f.covered:
			return fmt.Errorf("%w: the stream is at %d, before the feed's revision %d; it was made anew", kv.ErrUnavailable, base, f.covered)
		case base == f.covered:
			f.behind, f.current = false, time.Now()
			return nil
		}
	}
	records, done, err := f.store.walkPage(ctx, f.filter, f.next)
	if err != nil {
		return err
	}
	for _, r := range records {
		f.deliver(r)
		f.covered = uint64(r.entry.Revision)
		f.next = f.covered + 1
	}
	if done {
		f.covered = max(f.covered, f.base)
		f.behind, f.current = false, time.Now()
	}
	return nil
}
