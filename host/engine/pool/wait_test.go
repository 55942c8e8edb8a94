package pool

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestBusy checks the wait for a value: until there is one, or ErrBusy.
func TestBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l := lane(t, New[*thing](0), 1, 1)
		defer l.Close()
		v := mustGet(t, l)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := l.Get(ctx); !errors.Is(err, ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrBusy and the context's", err)
		}
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("waited %v, want 1s", waited)
		}
		time.AfterFunc(time.Second, func() { l.Put(v, time.Second, "") })
		begin = time.Now()
		again, err := l.Get(context.Background())
		if err != nil || again != v || time.Since(begin) != time.Second {
			t.Errorf("got %v, %v after %v, want the thing that was put back after 1s", again, err, time.Since(begin))
		}
		l.Put(again, time.Second, "")
	})
}

// TestTooLate checks that nobody is served whose work could not be done in
// time, and that the next one is.
func TestTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l := lane(t, New[*thing](0), 1, 1)
		defer l.Close()
		v := mustGet(t, l)
		answers := map[time.Duration]chan error{}
		for _, limit := range []time.Duration{1900 * time.Millisecond, 2100 * time.Millisecond} {
			answers[limit] = make(chan error, 1)
			go func() {
				ctx, cancel := context.WithTimeout(context.Background(), limit)
				defer cancel()
				got, err := l.Get(ctx)
				if err == nil {
					l.Put(got, time.Second, "")
				}
				answers[limit] <- err
			}()
		}
		time.Sleep(time.Second)
		l.Put(v, time.Second, "")
		if err := <-answers[1900*time.Millisecond]; !errors.Is(err, ErrBusy) {
			t.Errorf("with 0.9s left for what takes 1s: %v, want ErrBusy", err)
		}
		if err := <-answers[2100*time.Millisecond]; err != nil {
			t.Errorf("with 1.1s left: %v", err)
		}
	})
}

// TestOrder checks that the oldest is served first, and the newest where more
// wait than can be served at once.
func TestOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l := lane(t, New[*thing](0), 2, 2)
		defer l.Close()
		a, b := mustGet(t, l), mustGet(t, l)
		var order []int
		turn := make(chan *thing)
		for i := range 5 {
			go func() {
				v, err := l.Get(context.Background())
				if err != nil {
					t.Error(err)
				}
				order = append(order, i)
				turn <- v
			}()
			synctest.Wait()
		}
		for range 5 {
			l.Put(a, 1, "")
			a = <-turn
		}
		if want := []int{4, 3, 2, 0, 1}; !slices.Equal(order, want) {
			t.Errorf("served in the order %v, want %v", order, want)
		}
		l.Put(a, 1, "")
		l.Put(b, 1, "")
	})
}

// TestFull checks that there is an end to waiting.
func TestFull(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, l := lane(t, New[*thing](0), 1, 1)
		v := mustGet(t, l)
		var turned atomic.Int64
		for range maxWaiting {
			go func() {
				if _, err := l.Get(context.Background()); errors.Is(err, ErrClosed) {
					turned.Add(1)
				}
			}()
		}
		synctest.Wait()
		if _, err := l.Get(context.Background()); !errors.Is(err, ErrBusy) {
			t.Errorf("one more than can wait: %v, want ErrBusy", err)
		}
		go l.Close()
		synctest.Wait()
		l.Put(v, 1, "")
		synctest.Wait()
		if turned.Load() != maxWaiting {
			t.Errorf("%d of those who waited were turned away", turned.Load())
		}
	})
}
