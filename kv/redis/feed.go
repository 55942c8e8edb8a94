package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Times of feeds.
const (
	// pollEvery is how often a feed looks for changes that nobody announced.
	pollEvery = time.Second
	// feedPatience is how long a feed tries to reach the store before it gives up.
	feedPatience = 10 * time.Second
)

// feed is a [kv.Feed] that reads the newest change of each key in the order of
// the revisions, whenever it is woken.
type feed struct {
	store  *Store
	prefix string
	era    uint64 // the store's, when the feed began

	ready   []kv.Event
	covered uint64          // all changes up to it are delivered or in ready
	floor   uint64          // deletions after it must not be forgotten; zero: none matters yet
	wake    <-chan struct{} // closed when there is something new since the last pull; nil if that is sure

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
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	f := &feed{store: s, prefix: prefix, era: s.era.Load(), covered: uint64(after), floor: uint64(after)}
	f.life, f.end = context.WithCancel(s.life)
	if err := f.pull(ctx); err != nil {
		f.end()
		return nil, err
	}
	return f, nil
}

// Close implements [kv.Feed].
func (f *feed) Close() error {
	f.end()
	return nil
}

// Settled implements [kv.Settler]: one pull, if it was complete, is all that
// there was at that moment.
func (f *feed) Settled() bool { return f.wake != nil && len(f.ready) == 0 }

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
		if f.await(ctx) {
			if err := f.patient(ctx); err != nil {
				return kv.Event{}, err
			}
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

// await waits until there may be something new, and tells whether it is so.
func (f *feed) await(ctx context.Context) bool {
	if f.wake == nil {
		return true
	}
	t := time.NewTimer(pollEvery)
	defer t.Stop()
	select {
	case <-f.wake:
		return true
	case <-t.C:
		return true
	case <-f.life.Done():
	case <-ctx.Done():
	}
	return false
}

// patient pulls, trying for a while if the store cannot be reached. A feed that
// gives up is closed.
func (f *feed) patient(ctx context.Context) error {
	try, cancel := context.WithTimeout(ctx, feedPatience)
	defer cancel()
	defer context.AfterFunc(f.life, cancel)()
	err := f.pull(try)
	switch {
	case err == nil, ctx.Err() != nil, f.life.Err() != nil:
		return nil // Next reports the end of the context or the feed.
	case errors.Is(err, kv.ErrUnavailable):
		return errors.Join(fmt.Errorf("the feed has ended: %w", err), f.Close())
	}
	return err
}

// pull takes the next changes from the store.
func (f *feed) pull(ctx context.Context) error {
	s := f.store
	wake := s.hub.changed()
	a, err := s.persist(ctx, pullScript, f.prefix, strconv.FormatUint(f.covered, 10), strconv.FormatUint(f.floor, 10),
		strconv.Itoa(stepKeys), strconv.Itoa(stepBytes))
	if err != nil {
		return err
	}
	if err := f.sound(a); err != nil {
		return err
	}
	complete, covered := a.number(0) == 1, a.number(1)
	records := a.records(2)
	if a.err != nil {
		return a.err
	}
	for _, r := range records {
		// What has expired already is told too, since it replaced another value;
		// its tombstone comes later.
		f.ready = append(f.ready, kv.Event{Kind: r.kind, Entry: r.entry})
	}
	f.covered, f.wake = covered, nil
	switch {
	case complete:
		f.floor, f.wake = covered, wake
	case f.floor == 0:
		// A feed from the beginning misses nothing that was forgotten before.
		f.floor = a.rev
	}
	return nil
}

// sound returns an error if the answer is not the continuation of what the feed
// has delivered.
func (f *feed) sound(a answer) error {
	s := f.store
	switch {
	case a.status == "forgotten":
		return fmt.Errorf("%w: deletions after revision %d are forgotten; scan, and watch from the page's revision", kv.ErrUnavailable, f.floor)
	case a.status != "ok", s.era.Load() != f.era, s.view.Load().lost(f.floor):
		return fmt.Errorf("%w: revision %d of the feed is not one that the bucket has had; it was replaced or has lost writes", ErrReplaced, f.covered)
	}
	return nil
}
