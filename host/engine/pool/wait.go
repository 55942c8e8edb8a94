package pool

import (
	"container/list"
	"context"
	"fmt"
	"time"
)

// grant is what a waiter gets: a value, room to make one, or an error.
type grant[T any] struct {
	value  T
	create bool
	room   ended[T] // to be ended before
	err    error
}

// waiter is a request that waits for its turn.
type waiter[T any] struct {
	turn chan grant[T] // of capacity 1, so that whoever grants never waits
	// place is where it waits in its lane's queue; nil when it was granted.
	place *list.Element
}

// next takes the waiter out of the queue whose turn it is: the oldest, or, if
// more wait than there can be values, the newest. It is called with the lock.
func (l *Lane[T]) next() *waiter[T] {
	place := l.waiters.Front()
	if l.waiters.Len() > l.Most {
		place = l.waiters.Back()
	}
	w := place.Value.(*waiter[T])
	l.giveUp(w)
	return w
}

// giveUp takes a waiter out of the queue. It is called with the lock.
func (l *Lane[T]) giveUp(w *waiter[T]) {
	l.waiters.Remove(w.place)
	w.place = nil
	l.pool.waiting--
}

// learnPart is how much a new duration changes the average: an eighth.
const learnPart = 8

// learn takes how long a value was in use into the average. It is called with
// the lock.
func (l *Lane[T]) learn(took time.Duration) {
	if l.service == 0 {
		l.service = took
		return
	}
	l.service += (took - l.service) / learnPart
}

// note is learn without the lock.
func (l *Lane[T]) note(took time.Duration) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.learn(took)
}

// maxWaiting is how many requests may wait in a lane. What waits costs some
// 20 KiB, with its connection; who comes after that many is told at once.
const maxWaiting = 4096

// wait queues a waiter. It is called with the lock.
func (l *Lane[T]) wait() (*waiter[T], error) {
	if l.waiters.Len() >= maxWaiting {
		return nil, fmt.Errorf("%w: %d at work, %d waiting", ErrBusy, l.live, l.waiters.Len())
	}
	w := &waiter[T]{turn: make(chan grant[T], 1)}
	w.place = l.waiters.PushBack(w)
	l.pool.waiting++
	return w, nil
}

// await waits for the turn of w until ctx ends. It is called without the lock.
func (l *Lane[T]) await(ctx context.Context, w *waiter[T]) (T, error) {
	select {
	case g := <-w.turn:
		return l.accept(ctx, g)
	case <-ctx.Done():
	}
	l.pool.mu.Lock()
	if w.place != nil {
		l.giveUp(w)
		live, waiting := l.live, l.waiters.Len()
		l.pool.mu.Unlock()
		var none T
		return none, fmt.Errorf("%w: %d at work, %d waiting: %w", ErrBusy, live, waiting, ctx.Err())
	}
	l.pool.mu.Unlock()
	return l.accept(ctx, <-w.turn) // it came at the same moment
}

// accept turns a grant into a value, unless so little time is left that the
// work would hardly be finished: then the next in the queue gets it.
func (l *Lane[T]) accept(ctx context.Context, g grant[T]) (v T, err error) {
	if g.create {
		g.room.destroy()
		v, err = l.make()
	} else {
		v, err = g.value, g.err
	}
	if err != nil || !l.tooLate(ctx) {
		return v, err
	}
	l.pool.mu.Lock()
	reason := l.place(v)
	l.pool.mu.Unlock()
	if reason != "" {
		l.Destroy(v, reason)
		l.lose()
	}
	var none T
	return none, fmt.Errorf("%w: its turn came too late", ErrBusy)
}

// tooLate reports whether less time is left than a request usually takes.
func (l *Lane[T]) tooLate(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	if !ok {
		return false
	}
	l.pool.mu.Lock()
	service := l.service
	l.pool.mu.Unlock()
	return time.Until(deadline) < service
}

// Stats are the numbers of a lane at one moment.
type Stats struct {
	// InUse and Idle are its values, and Waiting who waits for one.
	InUse, Idle, Waiting int
	// Most is how many values it may have now: its own limit, or what the
	// budget allows it.
	Most int
	// Cost is what one takes of the budget, in bytes.
	Cost int64
}

// Stats gives the numbers of the lane.
func (l *Lane[T]) Stats() Stats {
	p := l.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	most := l.Most
	if p.limit > 0 && l.Cost > 0 {
		part := p.limit
		if len(p.lanes) > 1 {
			part = p.limit / 4 * domination
		}
		most = min(most, max(int(part/l.Cost), l.Spares))
	}
	return Stats{InUse: l.live - len(l.idle), Idle: len(l.idle), Waiting: l.waiters.Len(), Most: most, Cost: l.Cost}
}

// EachIdle calls f with each idle value, with the pool's lock held: it is for
// measuring and for tests.
func (l *Lane[T]) EachIdle(f func(T)) {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	for _, i := range l.idle {
		f(i.value)
	}
}
