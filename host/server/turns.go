package server

import (
	"context"
	"hash/maphash"
	"math/rand/v2"
	"time"
)

const (
	// retryPause is the longest pause after the first conflict; it doubles up
	// to maxRetryPause.
	retryPause = 2 * time.Millisecond
	// maxRetryPause bounds the pause after any later one.
	maxRetryPause = 100 * time.Millisecond
	// turnSlots is how many paths can have their turns side by side; paths
	// that share a slot only wait needlessly.
	turnSlots = 64
)

// turns makes requests for one path that have met a conflict run one after
// another in this process. If a class enrols at once and everybody just tried
// again, each success would make all others fail once more.
type turns struct {
	seed  maphash.Seed
	slots [turnSlots]chan struct{}
}

// newTurns makes free slots.
func newTurns() *turns {
	t := &turns{seed: maphash.MakeSeed()}
	for i := range t.slots {
		t.slots[i] = make(chan struct{}, 1)
	}
	return t
}

// take waits for the turn of a path and gives the function that ends it; it
// reports false if ctx ended first.
func (t *turns) take(ctx context.Context, path string) (end func(), ok bool) {
	slot := t.slots[maphash.String(t.seed, path)%turnSlots]
	select {
	case slot <- struct{}{}:
		return func() { <-slot }, true
	case <-ctx.Done():
		return nil, false
	}
}

// pause waits a random while that grows with the number of conflicts, since
// other processes may want the same records.
func pause(ctx context.Context, conflicts int) {
	longest := min(retryPause<<min(conflicts, 10), maxRetryPause)
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(longest)):
	}
}
