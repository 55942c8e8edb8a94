package engine

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// How idle values are thinned out: every trimEvery, those that nobody used
// for idleLife go, down to the number of spares.
const (
	trimEvery = 10 * time.Second
	idleLife  = 30 * time.Second
)

// pool hands out sandboxes: at most as many at once as it has slots, the one
// used last first, since its memory is warm. It knows nothing of WebAssembly,
// so it is tested with plain values.
type pool[T any] struct {
	create  func() (T, error)
	reset   func(T) error
	destroy func(T)
	spares  int
	slots   chan struct{}

	mu     sync.Mutex
	idle   []idleValue[T] // the longest idle first
	closed bool

	stop    chan struct{}
	trimmer sync.WaitGroup
}

// idleValue is a value that waits, and since when.
type idleValue[T any] struct {
	value T
	since time.Time
}

// newPool makes the spares at once, so that a handler which cannot start
// fails when it is loaded and no request waits for the first one.
func newPool[T any](slots, spares int, create func() (T, error), reset func(T) error, destroy func(T)) (*pool[T], error) {
	p := &pool[T]{
		create: create, reset: reset, destroy: destroy, spares: min(max(spares, 1), slots),
		slots: make(chan struct{}, slots), stop: make(chan struct{}),
	}
	for range p.spares {
		v, err := create()
		if err != nil {
			p.close()
			return nil, err
		}
		p.idle = append(p.idle, idleValue[T]{v, time.Now()})
	}
	p.trimmer.Go(p.trimNowAndThen)
	return p, nil
}

// get waits for a slot until ctx ends, which gives ErrBusy. Each value got
// must be put back.
func (p *pool[T]) get(ctx context.Context) (T, error) {
	var none T
	select {
	case p.slots <- struct{}{}:
	default:
		select {
		case p.slots <- struct{}{}:
		case <-ctx.Done():
			return none, fmt.Errorf("%w: %d of %d at work: %w", ErrBusy, len(p.slots), cap(p.slots), ctx.Err())
		}
	}
	if v, ok := p.pop(); ok {
		return v, nil
	}
	v, err := p.create()
	if err != nil {
		<-p.slots
	}
	return v, err
}

func (p *pool[T]) pop() (v T, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.idle) - 1
	if last < 0 {
		return v, false
	}
	v = p.idle[last].value
	p.idle[last] = idleValue[T]{}
	p.idle = p.idle[:last]
	return v, true
}

// put ends the use of a value that get gave. It is made pristine and kept, or
// destroyed if it is not sound or cannot be made pristine.
func (p *pool[T]) put(v T, sound bool) {
	defer func() { <-p.slots }()
	if sound && p.reset(v) == nil && p.keep(v) {
		return
	}
	p.destroy(v)
}

func (p *pool[T]) keep(v T) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return false
	}
	p.idle = append(p.idle, idleValue[T]{v, time.Now()})
	return true
}

func (p *pool[T]) trimNowAndThen() {
	tick := time.NewTicker(trimEvery)
	defer tick.Stop()
	for {
		select {
		case <-p.stop:
			return
		case now := <-tick.C:
			p.trim(now.Add(-idleLife))
		}
	}
}

// trim destroys what has been idle since before a time, down to the spares.
func (p *pool[T]) trim(before time.Time) {
	p.mu.Lock()
	n := 0
	for n < len(p.idle)-p.spares && p.idle[n].since.Before(before) {
		n++
	}
	old := append([]idleValue[T](nil), p.idle[:n]...)
	p.idle = append(p.idle[:0], p.idle[n:]...)
	p.mu.Unlock()
	for _, i := range old {
		p.destroy(i.value)
	}
}

// close destroys the idle values. Values that are still in use are destroyed
// when they are put back.
func (p *pool[T]) close() {
	p.mu.Lock()
	old := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	close(p.stop)
	p.trimmer.Wait()
	for _, i := range old {
		p.destroy(i.value)
	}
}
