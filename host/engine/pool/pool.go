// Package pool hands out what is dear to make: one request at a time uses a
// value, then it is brought back to its first state and waits for the next. It
// is made for sandboxes and knows nothing of them, so it is tested with plain
// values.
//
// A [Pool] is a budget of memory, and a [Lane] is one kind of value that takes
// its part of it: the sandboxes of one handler. The rules, in their order:
//
//   - A lane always has its spares, and may always use them. So a handler
//     whose requests take long cannot leave another one without a sandbox.
//   - Beyond them it grows when all its values are at work, up to its own
//     limit, while the budget lasts. Idle values of other lanes make room.
//   - Where the budget is used up, requests wait in their lane until their
//     deadline, which gives [ErrBusy]. A value that becomes free goes to its
//     own lane, unless another one waits and has less of the memory; then it
//     is given up for that.
//   - The oldest is served first, but the newest where more wait than there
//     can be values: then not all can be served in time, and whoever has
//     waited longest has the least time left. Nobody is served whose work
//     would not be done by its deadline, as far as the lane's recent past
//     tells. So, under more load than the machine can take, the work that is
//     begun is also finished. Who cannot be served is told at its deadline and
//     not before: clients that come again at once would take the machine's
//     time from those who can.
//   - What was idle for a while is given up, down to the spares.
//
// One lock guards a whole pool. It is held for some 50 ns at a time and never
// while a value is made, restored or ended.
package pool

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrBusy says that no value came free in time, or would have.
var ErrBusy = errors.New("all sandboxes are busy")

// ErrClosed says that the lane was closed.
var ErrClosed = errors.New("the handler is closed")

// The reasons for which values are ended, besides the caller's own.
const (
	// EndedIdle is for what nobody used for a while.
	EndedIdle = "idle"
	// EndedRoom is for what made room for another lane.
	EndedRoom = "room"
	// EndedReset is for what could not be restored.
	EndedReset = "reset"
	// EndedClosed is for what was left when its lane was closed.
	EndedClosed = "closed"
)

// How idle values are thinned out: every trimEvery, those that nobody used
// for idleLife go, down to the number of spares.
const (
	trimEvery = 10 * time.Second
	idleLife  = 30 * time.Second
)

// domination is the part of the budget, in quarters, that one of several
// lanes may take: the rest is there when the others come.
const domination = 3

// Pool is a budget that lanes share.
type Pool[T any] struct {
	limit int64 // bytes; 0 for none

	mu      sync.Mutex
	used    int64
	lanes   []*Lane[T]
	waiting int // in all lanes
	ticking bool
}

// New makes a pool of so many bytes; 0 means that only the lanes' own limits
// count.
func New[T any](bytes int64) *Pool[T] { return &Pool[T]{limit: bytes} }

// Options say what a lane is for.
type Options[T any] struct {
	// Create, Reset and Destroy make a value, bring it back to its first state
	// and end it for a reason. They are called without the pool's lock, from
	// many goroutines.
	Create  func() (T, error)
	Reset   func(T) error
	Destroy func(v T, reason string)
	// Most is how many values there may be at once, and Spares how many are
	// always there; both at least 1.
	Most, Spares int
	// Cost is what a value takes of the budget, in bytes.
	Cost int64
}

// Lane is one kind of value in a pool.
type Lane[T any] struct {
	Options[T]
	pool *Pool[T]

	// What follows is guarded by the pool's lock.
	idle    []idleValue[T] // the longest idle first
	live    int            // idle, in use and being made
	waiters list.List      // of *waiter[T], the oldest first
	// service is how long a value is in use, the recent past counting most.
	service time.Duration
	filling bool
	closed  bool
	// empty is closed when the lane is closed and its last value is gone.
	empty chan struct{}
}

// idleValue is a value that waits, and since when.
type idleValue[T any] struct {
	value T
	since time.Time
}

// Open adds a lane. It makes the spares at once, so that a handler which
// cannot start fails when it is loaded and no request waits for the first one.
func (p *Pool[T]) Open(o Options[T]) (*Lane[T], error) {
	if o.Most < 1 {
		return nil, fmt.Errorf("pool: a lane of %d values: there must be at least one", o.Most)
	}
	o.Spares = min(max(o.Spares, 1), o.Most)
	l := &Lane[T]{Options: o, pool: p, empty: make(chan struct{})}
	for range o.Spares {
		v, err := o.Create()
		if err != nil {
			for _, i := range l.idle {
				o.Destroy(i.value, EndedClosed)
			}
			return nil, err
		}
		l.idle = append(l.idle, idleValue[T]{v, time.Now()})
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	l.live = o.Spares
	p.used += int64(o.Spares) * o.Cost
	p.lanes = append(p.lanes, l)
	if !p.ticking {
		p.ticking = true
		time.AfterFunc(trimEvery, p.tick)
	}
	return l, nil
}

// Get gives a value to be used by one request until Put. The error is that of
// ctx and ErrBusy if there is none by its deadline, ErrClosed, or that of
// Create.
func (l *Lane[T]) Get(ctx context.Context) (T, error) {
	var none T
	l.pool.mu.Lock()
	if l.closed {
		l.pool.mu.Unlock()
		return none, ErrClosed
	}
	if last := len(l.idle) - 1; last >= 0 {
		v := l.idle[last].value
		l.idle[last] = idleValue[T]{}
		l.idle = l.idle[:last]
		l.pool.mu.Unlock()
		return v, nil
	}
	if l.grow() {
		old := l.pool.makeRoom(l)
		l.pool.mu.Unlock()
		old.destroy()
		return l.make()
	}
	w, err := l.wait()
	l.pool.mu.Unlock()
	if err != nil {
		return none, err
	}
	return l.await(ctx, w)
}

// make creates a value for which there is room already.
func (l *Lane[T]) make() (T, error) {
	v, err := l.Create()
	if err != nil {
		l.lose()
	}
	return v, err
}

// lose takes a value that is gone, or could not be made, out of the books.
func (l *Lane[T]) lose() {
	l.pool.mu.Lock()
	l.shrink()
	l.pool.share()
	l.pool.mu.Unlock()
	l.refill()
}

// Put ends the use of a value that Get gave, which took so long. A reason other
// than "" says why it must not be used again.
func (l *Lane[T]) Put(v T, took time.Duration, reason string) {
	if reason == "" && l.Reset(v) != nil {
		reason = EndedReset
	}
	if reason != "" {
		l.Destroy(v, reason)
		l.note(took)
		l.lose()
		return
	}
	l.pool.mu.Lock()
	l.learn(took)
	reason = l.place(v)
	l.pool.mu.Unlock()
	if reason != "" {
		l.Destroy(v, reason)
		l.lose()
	}
}

// place finds the next use of a restored value. A reason says that it must be
// ended.
func (l *Lane[T]) place(v T) (reason string) {
	switch {
	case l.closed:
		return EndedClosed
	case l.pool.waiting > l.waiters.Len() && l.mustYield():
		return EndedRoom
	case l.waiters.Len() > 0:
		l.next().turn <- grant[T]{value: v}
	default:
		l.idle = append(l.idle, idleValue[T]{v, time.Now()})
	}
	return ""
}

// Close turns away who waits, waits until no value is in use, and ends them
// all. A second call waits for the first.
func (l *Lane[T]) Close() {
	p := l.pool
	p.mu.Lock()
	if l.closed {
		p.mu.Unlock()
		<-l.empty
		return
	}
	l.closed = true
	for l.waiters.Len() > 0 {
		l.next().turn <- grant[T]{err: ErrClosed}
	}
	if l.live == 0 {
		close(l.empty)
	}
	old := l.takeIdle(len(l.idle), EndedClosed)
	for i, other := range p.lanes {
		if other == l {
			p.lanes = append(p.lanes[:i], p.lanes[i+1:]...)
			break
		}
	}
	p.share()
	p.mu.Unlock()
	old.destroy()
	<-l.empty
}
