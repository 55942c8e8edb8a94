package engine

import (
	"context"
	"fmt"
	"sync"
)

// pool hands out sandboxes: at most as many at once as it has slots, spares
// first. It knows nothing of WebAssembly, so it is tested with plain values.
//
// Making one takes milliseconds, so a filler keeps spares ready behind the
// requests; when they are used up a request makes its own.
type pool[T any] struct {
	create  func() (T, error)
	destroy func(T)
	slots   chan struct{}
	spares  chan T
	wake    chan struct{}
	stop    chan struct{}
	filler  sync.WaitGroup
}

// newPool makes the first spare at once, so that a handler which cannot start
// fails when it is loaded and not at the first request.
func newPool[T any](slots, spares int, create func() (T, error), destroy func(T)) (*pool[T], error) {
	first, err := create()
	if err != nil {
		return nil, err
	}
	p := &pool[T]{
		create: create, destroy: destroy,
		slots:  make(chan struct{}, slots),
		spares: make(chan T, max(spares, 1)),
		wake:   make(chan struct{}, 1),
		stop:   make(chan struct{}),
	}
	p.spares <- first
	p.filler.Go(p.fill)
	p.nudge()
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
	defer p.nudge()
	select {
	case v := <-p.spares:
		return v, nil
	default:
	}
	v, err := p.create()
	if err != nil {
		<-p.slots
	}
	return v, err
}

// put ends the use of a value that get gave: it is destroyed, never reused.
func (p *pool[T]) put(v T) {
	p.destroy(v)
	<-p.slots
}

func (p *pool[T]) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// fill makes spares until there are enough, each time a value was taken. A
// failure ends the round: the request that finds no spare reports it.
func (p *pool[T]) fill() {
	for {
		select {
		case <-p.stop:
			return
		case <-p.wake:
		}
		for len(p.spares) < cap(p.spares) {
			v, err := p.create()
			if err != nil {
				break
			}
			p.spares <- v
		}
	}
}

// close waits until the filler has stopped and destroys the spares. Values
// that are still in use are destroyed when they are put back.
func (p *pool[T]) close() {
	close(p.stop)
	p.filler.Wait()
	for {
		select {
		case v := <-p.spares:
			p.destroy(v)
		default:
			return
		}
	}
}
