package engine

import (
	"context"
	"fmt"
	"slices"
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

	mu   sync.Mutex
	idle []idleValue[T] // the longest idle first

	stop    chan struct{} // closed by close
	closing sync.Once
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

// get waits for a slot until ctx ends, which gives ErrBusy, or the pool is
// closed, which gives ErrClosed. Each value got must be put back.
func (p *pool[T]) get(ctx context.Context) (T, error) {
	var none T
	if err := p.take(ctx); err != nil {
		return none, err
	}
	if v, ok := p.pop(); ok {
		return v, nil
	}
	v, err := p.create()
	if err != nil {
		<-p.slots
		return none, err
	}
	return v, nil
}

// take waits for a slot.
func (p *pool[T]) take(ctx context.Context) error {
	select {
	case <-p.stop:
		return ErrClosed
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return nil
	case <-p.stop:
		return ErrClosed
	case <-ctx.Done():
		return fmt.Errorf("%w: %d of %d at work: %w", ErrBusy, len(p.slots), cap(p.slots), ctx.Err())
	}
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
	if !sound || p.reset(v) != nil {
		p.destroy(v)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, idleValue[T]{v, time.Now()})
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
	old := slices.Clone(p.idle[:n])
	p.idle = slices.Delete(p.idle, 0, n)
	p.mu.Unlock()
	for _, i := range old {
		p.destroy(i.value)
	}
}

// close waits until no value is in use and destroys them all.
func (p *pool[T]) close() {
	p.closing.Do(func() {
		close(p.stop)
		p.trimmer.Wait()
		for range cap(p.slots) {
			p.slots <- struct{}{}
		}
		for _, i := range p.idle {
			p.destroy(i.value)
		}
		p.idle = nil
	})
}
