package supervisor

import (
	"math/rand/v2"
	"time"
)

// When a worker is started again. A process that lived for youngLife is
// replaced at once; after shorter lives the pause doubles from firstPause to
// longestPause, so that a worker that cannot live takes no machine down, and
// serves again soon after what is wrong has passed.
const (
	youngLife    = 10 * time.Second
	firstPause   = 100 * time.Millisecond
	longestPause = 10 * time.Second
)

// backoff is the memory of one worker's short lives. The zero value is ready.
type backoff struct {
	young int // how many processes in a row died young
}

// next returns how long to wait before a new start when the last process
// lived for this long. The pause is drawn from the upper half of its length,
// so that workers which died together do not start together.
func (b *backoff) next(lived time.Duration) time.Duration {
	if lived >= youngLife {
		b.young = 0
		return 0
	}
	pause := longestPause
	if b.young < 16 { // beyond it the shift is far over the longest pause
		pause = min(firstPause<<b.young, longestPause)
	}
	b.young++
	return pause/2 + rand.N(pause/2+1)
}
