package server

import (
	"sync"
	"time"
)

// seldomPause is how far apart lines of the log are that say the same.
const seldomPause = time.Second

// seldom keeps a message that many requests could cause at once from filling
// the log, which would make the cause worse.
type seldom struct {
	mu     sync.Mutex
	last   time.Time
	silent int
}

// now reports whether the message should be written now, and how many times it
// was not since it was last.
func (s *seldom) now() (silent int, now bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.last) < seldomPause {
		s.silent++
		return 0, false
	}
	silent, s.silent, s.last = s.silent, 0, time.Now()
	return silent, true
}
