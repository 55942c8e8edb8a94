package near_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

// TestAbsenceIsNotForgotten lets a slow read find out that a key was deleted,
// before the feed brings that and after a quicker one has kept the key: who has
// been told that it is absent must not be shown it again.
func TestAbsenceIsNotForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, s *near.Store, b *below) {
		var slow atomic.Bool
		slow.Store(true)
		b.set(func(b *below) {
			b.early = func(key string) {
				if key == "k" && slow.CompareAndSwap(true, false) {
					time.Sleep(100 * time.Millisecond)
				}
			}
			b.hold = func(ev kv.Event) time.Duration {
				if ev.Kind == kv.EventDelete {
					return time.Minute
				}
				return 0
			}
		})
		var first sync.WaitGroup
		first.Go(func() { wants(t, s, "k", "") })
		synctest.Wait()
		put(t, s, "k", "1")
		wants(t, s, "k", "1") // by a question of its own, and kept
		if _, err := b.Commit(context.Background(), nil, []kv.Write{kv.Delete("k")}); err != nil {
			t.Fatal(err)
		}
		first.Wait()
		wants(t, s, "k", "")
	})
}
