package server

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestSeldom writes a message at most once a second and counts the rest.
func TestSeldom(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s seldom
		for step, want := range []struct {
			silent int
			now    bool
		}{{0, true}, {0, false}, {0, false}, {2, true}, {0, true}} {
			if step >= 3 {
				time.Sleep(seldomPause)
			}
			if silent, now := s.now(); silent != want.silent || now != want.now {
				t.Errorf("step %d: %d, %t, want %v", step, silent, now, want)
			}
		}
	})
}
