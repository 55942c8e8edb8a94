package pool

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// take gets n things.
func take(t *testing.T, l *Lane[*thing], n int) (all []*thing) {
	t.Helper()
	for range n {
		all = append(all, mustGet(t, l))
	}
	return all
}

// busy checks that there is nothing to be had.
func busy(t *testing.T, l *Lane[*thing]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := l.Get(ctx); !errors.Is(err, ErrBusy) {
		t.Errorf("error %v, want ErrBusy", err)
	}
}

// TestSlowLane has one lane whose requests never end: it cannot take what
// belongs to the other, nor the last quarter of the budget.
func TestSlowLane(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New[*thing](16)
		_, slow := lane(t, p, 100, 2)
		_, quick := lane(t, p, 100, 2)
		defer slow.Close()
		defer quick.Close()
		hung := take(t, slow, 12) // three quarters of 16
		busy(t, slow)
		quickly := take(t, quick, 4)
		busy(t, quick)
		for _, v := range quickly {
			quick.Put(v, 1, "")
		}
		for _, v := range hung {
			slow.Put(v, 1, "")
		}
		if got := slow.Stats(); got.Most != 12 || got.Idle != 12 {
			t.Errorf("the slow lane has %+v, want 12 idle of 12", got)
		}
	})
}

// TestRoomFromIdle checks that what idles in one lane makes room in another,
// the spares excepted.
func TestRoomFromIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New[*thing](8)
		_, a := lane(t, p, 100, 1)
		_, b := lane(t, p, 100, 1)
		defer a.Close()
		defer b.Close()
		for _, v := range take(t, a, 6) {
			a.Put(v, 1, "")
		}
		some := take(t, b, 6)
		if got := a.Stats(); got.Idle != 2 || p.used != 8 {
			t.Errorf("%d of the idle ones are left and %d of 8 are used, want 2 and 8", got.Idle, p.used)
		}
		for _, v := range some {
			b.Put(v, 1, "")
		}
	})
}

// TestHandover lets a lane with everything give up half to one that waits for
// it, request by request, and no more than half.
func TestHandover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New[*thing](8)
		_, a := lane(t, p, 100, 1)
		fb, b := lane(t, p, 100, 1)
		defer a.Close()
		defer b.Close()
		hold := func(l *Lane[*thing], n int, until chan bool) {
			for range n {
				go func() {
					for {
						v, err := l.Get(context.Background())
						if err != nil {
							return
						}
						time.Sleep(time.Second)
						l.Put(v, time.Second, "")
						select {
						case <-until:
							return
						default:
						}
					}
				}()
			}
		}
		stop := make(chan bool)
		hold(a, 20, stop)
		synctest.Wait()
		if got := a.Stats().InUse; got != 6 {
			t.Errorf("alone, one lane has %d of 8, want three quarters", got)
		}
		hold(b, 20, stop)
		time.Sleep(10500 * time.Millisecond)
		if ga, gb := a.Stats().InUse, b.Stats().InUse; ga != 4 || gb != 4 {
			t.Errorf("the lanes have %d and %d of 8, want the same", ga, gb)
		}
		if made := fb.made.Load(); made > 5 {
			t.Errorf("%d things were made for 4: the lanes take them from each other without end", made)
		}
		close(stop)
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}

// TestSparesOverBudget checks that spares are there even where they are more
// than the budget.
func TestSparesOverBudget(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := New[*thing](1)
		_, a := lane(t, p, 100, 2)
		_, b := lane(t, p, 100, 2)
		defer a.Close()
		defer b.Close()
		va, vb := take(t, a, 2), take(t, b, 2)
		busy(t, a)
		for i := range va {
			a.Put(va[i], 1, "broken")
			b.Put(vb[i], 1, "")
		}
		synctest.Wait()
		if ga, gb := a.Stats(), b.Stats(); ga.Idle != 2 || gb.Idle != 2 {
			t.Errorf("%d and %d idle, want 2 spares each", ga.Idle, gb.Idle)
		}
	})
}
