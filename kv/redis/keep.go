package redis

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// Times of the work in the background.
const (
	// keepEvery is how often the bucket is looked at, at least: shorter than
	// [kv.MinTTL], so that the next expiry is always known before its time.
	keepEvery = 900 * time.Millisecond
	// keepJitter keeps processes from expiring the same keys at once.
	keepJitter = 20 * time.Millisecond
	// keepTimeout bounds one look.
	keepTimeout = 5 * time.Second
	// expireKeys is how many keys one script expires.
	expireKeys = 500
)

// hub wakes the feeds of a store.
type hub struct {
	mu   sync.Mutex
	wake chan struct{} // closed and replaced at each change
}

// changed returns a channel that is closed at the next change.
func (h *hub) changed() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wake
}

// notify wakes the feeds.
func (h *hub) notify() {
	h.mu.Lock()
	defer h.mu.Unlock()
	close(h.wake)
	h.wake = make(chan struct{})
}

// listen stays subscribed to the bucket's changes, on a connection of its own:
// Redis allows one with a subscription few bytes of answers that wait. What is
// said while there is no subscription is lost, so each new one wakes the feeds.
func (s *Store) listen() {
	ctx := rueidis.WithOnSubscriptionHook(s.life, func(rueidis.PubSubSubscription) { s.hub.notify() })
	var wait backoff
	for s.life.Err() == nil {
		begun := time.Now()
		err := s.conn.client.Dedicated(func(c rueidis.DedicatedClient) error {
			return c.Receive(ctx, c.B().Ssubscribe().Channel(s.channel).Build(), func(rueidis.PubSubMessage) { s.hub.notify() })
		})
		if s.life.Err() != nil {
			return
		}
		if time.Since(begun) > lastPause {
			wait = backoff{}
		}
		s.log.Debug("the subscription to changes ended", "error", err)
		if wait.sleep(s.life) != nil {
			return
		}
	}
}

// keep looks at the bucket now and then, and whenever something expires: it
// makes the tombstones of expired values, and notices that the bucket or the
// server was replaced though nobody calls.
func (s *Store) keep() {
	for {
		next, err := s.look()
		if s.life.Err() != nil {
			return
		}
		if err != nil {
			s.log.Debug("the bucket cannot be looked after", "error", err)
		}
		t := time.NewTimer(next)
		select {
		case <-t.C:
		case <-s.life.Done():
			t.Stop()
			return
		}
	}
}

// look expires what is due, and returns how long to wait until the next.
func (s *Store) look() (time.Duration, error) {
	ctx, cancel := context.WithTimeout(s.life, keepTimeout)
	defer cancel()
	for {
		more, next, err := s.expireSome(ctx)
		if err != nil {
			return keepEvery, err
		}
		if !more {
			return min(next, keepEvery) + rand.N(keepJitter), nil
		}
	}
}

// expireAll makes tombstones of all that has expired.
func (s *Store) expireAll(ctx context.Context) error {
	for {
		if more, _, err := s.expireSome(ctx); err != nil || !more {
			return err
		}
	}
}

// expireSome makes tombstones of some of what has expired; it tells whether
// there is more, and how long it is until the next expiry.
func (s *Store) expireSome(ctx context.Context) (more bool, next time.Duration, err error) {
	a, err := s.persist(ctx, expireScript, s.channel, millis(s.bucket.tombstones), strconv.Itoa(expireKeys))
	if err != nil {
		return false, 0, err
	}
	more, next = a.number(0) == 1, keepEvery
	if at := a.number(1); at > 0 {
		next = max(0, time.UnixMilli(int64(at)).Sub(a.now))
	}
	return more, next, a.err
}
