package server

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTurnsRunOneAfterAnother(t *testing.T) {
	t.Parallel()
	turns := newTurns()
	var inside, most int
	var mu sync.Mutex
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			end, ok := turns.take(t.Context(), "/course/now/enroll")
			if !ok {
				t.Error("a turn was refused")
				return
			}
			defer end()
			mu.Lock()
			inside++
			most = max(most, inside)
			mu.Unlock()
			time.Sleep(time.Millisecond)
			mu.Lock()
			inside--
			mu.Unlock()
		})
	}
	wait.Wait()
	if most != 1 {
		t.Errorf("%d had their turn at once", most)
	}
}

func TestTurnsRespectTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns()
		end, _ := turns.take(t.Context(), "/a")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, ok := turns.take(ctx, "/a"); ok {
			t.Fatal("two had the turn of one path")
		}
		end()
		if end, ok := turns.take(t.Context(), "/a"); !ok {
			t.Fatal("the turn did not come free")
		} else {
			end()
		}
	})
}

func TestPauseStaysShort(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for conflicts := range 100 {
			begin := time.Now()
			pause(t.Context(), conflicts)
			if took := time.Since(begin); took > maxRetryPause {
				t.Fatalf("after %d conflicts it waited %v", conflicts, took)
			}
		}
	})
}
