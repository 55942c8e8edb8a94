package near_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// below is what one member sees of a store: a network that a test can disturb.
// It must be used inside a synctest bubble, or with real time.
type below struct {
	kv.Store

	gate  sync.RWMutex // held by commits that are under way
	mu    sync.Mutex
	thaw  chan struct{} // not nil while everything stands still
	old   kv.Store      // not nil while reads are answered by a leader that was cut off
	lost  bool          // the feed's next answer is ErrUnavailable
	gets  map[string]int
	scans int
	beats int
	// early, if set, is called before a read of a key, and hold tells how long a
	// feed holds a change back.
	early func(key string)
	hold  func(kv.Event) time.Duration
	// late, if set, is called after a read of a key with its answer in hand.
	late func(key string)
	// delay, if set, is how long a feed holds an event back.
	delay func() time.Duration
	// gather, if not zero, is how long a feed gathers events and then delivers
	// the newest of each key.
	gather time.Duration
	// uncertain, if set, tells whether a commit that happened is reported lost.
	uncertain func() bool
}

// newBelow makes a network that works.
func newBelow(s kv.Store) *below { return &below{Store: s, gets: map[string]int{}} }

// set changes the state under the lock.
func (b *below) set(change func(*below)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	change(b)
}

// freeze stops everything, as if the process or its network stood still.
func (b *below) freeze() { b.set(func(b *below) { b.stop() }) }

// stop is freeze under the lock.
func (b *below) stop() {
	if b.thaw == nil {
		b.thaw = make(chan struct{})
	}
}

// cutOff stops everything but reads, which a copy of the store answers from
// then on, as a leader that was cut off would.
func (b *below) cutOff(tb testing.TB) {
	b.freeze()
	b.gate.Lock()
	old := copyOf(tb, b.Store)
	b.gate.Unlock()
	b.set(func(b *below) { b.old = old })
}

// heal lets everything go on.
func (b *below) heal() {
	b.set(func(b *below) {
		b.old = nil
		if b.thaw != nil {
			close(b.thaw)
			b.thaw = nil
		}
	})
}

// lose ends the feed.
func (b *below) lose() { b.set(func(b *below) { b.lost = true }) }

// pass waits until the network works.
func (b *below) pass(ctx context.Context) error {
	for {
		b.mu.Lock()
		thaw := b.thaw
		b.mu.Unlock()
		if thaw == nil {
			return nil
		}
		select {
		case <-thaw:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", kv.ErrUnavailable, ctx.Err())
		}
	}
}

// enter waits until the network works and takes the gate.
func (b *below) enter(ctx context.Context) error {
	for {
		if err := b.pass(ctx); err != nil {
			return err
		}
		b.gate.RLock()
		b.mu.Lock()
		open := b.thaw == nil
		b.mu.Unlock()
		if open {
			return nil
		}
		b.gate.RUnlock()
	}
}

// reader is who answers a read.
func (b *below) reader(ctx context.Context) (kv.Store, error) {
	b.mu.Lock()
	old := b.old
	b.mu.Unlock()
	if old != nil {
		return old, nil
	}
	return b.Store, b.pass(ctx)
}

// Get implements kv.Store.
func (b *below) Get(ctx context.Context, key string) (kv.Entry, error) {
	from, err := b.reader(ctx)
	if err != nil {
		return kv.Entry{}, err
	}
	b.mu.Lock()
	early := b.early
	b.mu.Unlock()
	if early != nil {
		early(key)
	}
	e, err := from.Get(ctx, key)
	b.mu.Lock()
	b.gets[key]++
	late := b.late
	b.mu.Unlock()
	if late != nil {
		late(key)
	}
	return e, err
}

// Scan implements kv.Store.
func (b *below) Scan(ctx context.Context, r kv.Range) (kv.Page, error) {
	from, err := b.reader(ctx)
	if err != nil {
		return kv.Page{}, err
	}
	p, err := from.Scan(ctx, r)
	b.mu.Lock()
	b.scans++
	late := b.late
	b.mu.Unlock()
	if late != nil {
		late(r.Prefix)
	}
	return p, err
}

// Commit implements kv.Store.
func (b *below) Commit(ctx context.Context, checks []kv.Check, writes []kv.Write) (kv.Revision, error) {
	if err := b.enter(ctx); err != nil {
		return 0, err
	}
	rev, err := b.Store.Commit(ctx, checks, writes)
	b.gate.RUnlock()
	b.mu.Lock()
	uncertain := b.uncertain
	if len(writes) == 1 && strings.HasPrefix(writes[0].Key, "near/beat/") {
		b.beats++
	}
	b.mu.Unlock()
	if err == nil && uncertain != nil && uncertain() {
		return 0, fmt.Errorf("%w: the answer was lost", kv.ErrUnavailable)
	}
	return rev, err
}

// Watch implements kv.Store.
func (b *below) Watch(ctx context.Context, prefix string, after kv.Revision) (kv.Feed, error) {
	if err := b.pass(ctx); err != nil {
		return nil, err
	}
	feed, err := b.Store.Watch(ctx, prefix, after)
	return &belowFeed{Feed: feed, below: b}, err
}

// belowFeed is a feed over that network.
type belowFeed struct {
	kv.Feed
	below *below
	queue []kv.Event // gathered and not yet delivered
}

// Settled implements kv.Settler.
func (f *belowFeed) Settled() bool { return len(f.queue) == 0 && f.Feed.(kv.Settler).Settled() }

// Next implements kv.Feed.
func (f *belowFeed) Next(ctx context.Context) (kv.Event, error) {
	ev, err := f.next(ctx)
	if err != nil {
		return ev, err
	}
	f.below.mu.Lock()
	delay, hold := f.below.delay, f.below.hold
	f.below.mu.Unlock()
	if hold != nil {
		time.Sleep(hold(ev))
	}
	if delay != nil {
		if d := delay(); d > 0 {
			time.Sleep(d)
		}
	}
	if err := f.below.pass(ctx); err != nil {
		return kv.Event{}, ctx.Err()
	}
	f.below.mu.Lock()
	defer f.below.mu.Unlock()
	if f.below.lost {
		f.below.lost = false
		return kv.Event{}, fmt.Errorf("%w: events were lost", kv.ErrUnavailable)
	}
	return ev, nil
}

// next takes an event from the store or the queue.
func (f *belowFeed) next(ctx context.Context) (ev kv.Event, err error) {
	if len(f.queue) == 0 {
		if ev, err = f.Feed.Next(ctx); err != nil {
			return ev, err
		}
		f.below.mu.Lock()
		gather := f.below.gather
		f.below.mu.Unlock()
		if gather == 0 {
			return ev, nil
		}
		f.queue = append(f.queue, ev)
		time.Sleep(gather)
		f.fill(ctx)
	}
	ev, f.queue = f.queue[0], f.queue[1:]
	return ev, nil
}

// fill gathers what the store has and leaves out what was overwritten, as a
// store does that keeps the newest change of each key only.
func (f *belowFeed) fill(ctx context.Context) {
	for {
		now, cancel := context.WithTimeout(ctx, time.Microsecond)
		ev, err := f.Feed.Next(now)
		cancel()
		if err != nil {
			return
		}
		f.queue = slices.DeleteFunc(f.queue, func(o kv.Event) bool { return o.Entry.Key == ev.Entry.Key })
		f.queue = append(f.queue, ev)
	}
}

// asked is how often a key was read from the store.
func (b *below) asked(key string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.gets[key]
}

// written is how many heartbeats the store took.
func (b *below) written() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.beats
}

// scanned is how many pages were read from the store.
func (b *below) scanned() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.scans
}
