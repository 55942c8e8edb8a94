package near

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// patience is how long a read waits for the feed to reach a revision before it
// asks the store: many times the usual delay, and yet not felt.
const patience = 5 * time.Millisecond

// absentError says that a key does not exist. It is made for each such answer
// from memory, so its text is made only if somebody reads it.
type absentError struct{ key string }

// Error implements error.
func (e *absentError) Error() string { return fmt.Sprintf("%v: %.80q", kv.ErrNotFound, e.key) }

// Unwrap makes errors.Is find kv.ErrNotFound.
func (e *absentError) Unwrap() error { return kv.ErrNotFound }

// Get implements [kv.Store]; the package comment says what it is sure to show.
func (s *Store) Get(ctx context.Context, key string) (kv.Entry, error) {
	if err := s.open(ctx); err != nil {
		return kv.Entry{}, err
	}
	if !s.keep(key) {
		return s.direct(ctx, key)
	}
	h, hash := s.shard(key)
	least := kv.LeastRevision(ctx)
	for waited := false; ; waited = true {
		v := s.look(least)
		if !v.vouches {
			h.tally.passes.Add(1)
			break
		}
		e, absent, f := h.lookup(hash, key, v)
		if f == foundAnswer {
			if err := s.flights.read(ctx, key, false, true); err != nil {
				return kv.Entry{}, err
			}
			if absent {
				return kv.Entry{}, &absentError{key}
			}
			e.Value = bytes.Clone(e.Value)
			return e, nil
		}
		if f == foundOlder && !waited && s.reaches(ctx, v.least) {
			continue
		}
		h.tally.misses.Add(1)
		break
	}
	return s.fetch(ctx, key, least)
}

// despair is how long nobody waits for the feed after one has waited in vain.
const despair = 10 * patience

// direct reads a key that is not kept. That the others never seem to go back
// behind what it shows is all that it has to do with the cache.
func (s *Store) direct(ctx context.Context, key string) (kv.Entry, error) {
	if err := reserved(key); err != nil {
		return kv.Entry{}, err
	}
	c := &call{}
	c.entry, c.err = s.store.Get(ctx, key)
	s.revealEntry(ctx, key, c)
	return c.entry, c.err
}

// reaches waits a moment for the feed to reach a revision.
func (s *Store) reaches(ctx context.Context, rev kv.Revision) bool {
	if s.at() >= rev {
		return true
	}
	if time.Now().UnixNano() < s.hopeless.Load() {
		return false
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	for {
		ring := s.news.wait()
		if s.at() >= rev {
			return true
		}
		select {
		case <-ring:
		case <-t.C:
			s.hopeless.Store(time.Now().Add(despair).UnixNano())
			return false
		case <-ctx.Done():
			return false
		}
	}
}

// fetch asks the store, together with others who want the same key.
func (s *Store) fetch(ctx context.Context, key string, least kv.Revision) (kv.Entry, error) {
	if err := errors.Join(kv.CheckKey(key), reserved(key)); err != nil {
		return kv.Entry{}, err
	}
	h, hash := s.shard(key)
	for {
		if err := s.confirm(ctx, least); err != nil {
			return kv.Entry{}, err
		}
		c, mine := h.join(key, s.admits(least), s.newCall)
		if mine {
			defer close(c.done) // even if the store panics
			c.entry, c.err = s.store.Get(ctx, key)
			s.revealEntry(ctx, key, c)
			c.spoilt = c.err != nil && ctx.Err() != nil
			h.settle(hash, key, c, s.term.Load)
			return c.entry, c.err
		}
		h.tally.joins.Add(1)
		if err := c.await(ctx); err != nil {
			return kv.Entry{}, err
		}
		if !c.spoilt {
			e := c.entry
			e.Value = bytes.Clone(e.Value)
			return e, c.err
		}
	}
}

// revealEntry takes note of what the answer to a call shows.
func (s *Store) revealEntry(ctx context.Context, key string, c *call) {
	s.reveal(c.entry.Revision)
	c.absent = errors.Is(c.err, kv.ErrNotFound)
	if c.err != nil && !c.absent {
		return
	}
	if err := s.flights.read(ctx, key, false, !c.absent); err != nil {
		c.entry, c.err, c.absent = kv.Entry{}, err, false
	}
}
