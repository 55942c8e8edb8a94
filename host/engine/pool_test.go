package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// thing is what the tests' pools hold.
type thing struct {
	id            int
	inUse, dirty  atomic.Bool
	gone          atomic.Bool
	unrestoreable atomic.Bool
	resets        int
}

// factory makes things and keeps count of them.
type factory struct {
	made, live, most atomic.Int64
	refuse           atomic.Bool
}

var errFactory = errors.New("no more things")

func (f *factory) create() (*thing, error) {
	if f.refuse.Load() {
		return nil, errFactory
	}
	for live := f.live.Add(1); ; {
		most := f.most.Load()
		if live <= most || f.most.CompareAndSwap(most, live) {
			break
		}
	}
	return &thing{id: int(f.made.Add(1))}, nil
}

func (f *factory) reset(v *thing) error {
	v.dirty.Store(false)
	v.resets++
	if v.unrestoreable.Load() {
		return errFactory
	}
	return nil
}

func (f *factory) destroy(v *thing) {
	if v.gone.Swap(true) {
		panic("a thing was destroyed twice")
	}
	f.live.Add(-1)
}

// newThings makes a pool of things.
func newThings(t *testing.T, slots, spares int) (*factory, *pool[*thing]) {
	t.Helper()
	f := &factory{}
	p, err := newPool(slots, spares, f.create, f.reset, f.destroy)
	if err != nil {
		t.Fatal(err)
	}
	return f, p
}

// TestPoolUnderLoad hammers a pool from many sides: nobody shares a thing, gets
// a dirty or destroyed one, and there are never more than slots.
func TestPoolUnderLoad(t *testing.T) {
	t.Parallel()
	const slots, users, turns = 8, 40, 300
	f, p := newThings(t, slots, 2)
	var all sync.WaitGroup
	for range users {
		all.Go(func() {
			for range turns {
				ctx, cancel := context.WithTimeout(context.Background(), plenty)
				v, err := p.get(ctx)
				cancel()
				if err != nil {
					if !errors.Is(err, errFactory) {
						t.Errorf("get: %v", err)
					}
					continue
				}
				if v.inUse.Swap(true) || v.dirty.Swap(true) || v.gone.Load() {
					t.Errorf("thing %d is in use, dirty or gone", v.id)
				}
				v.unrestoreable.Store(rand.IntN(50) == 0)
				f.refuse.Store(rand.IntN(20) == 0)
				v.inUse.Store(false)
				p.put(v, rand.IntN(30) > 0)
			}
		})
	}
	all.Wait()
	f.refuse.Store(false)
	if most := f.most.Load(); most > slots {
		t.Errorf("%d things at once in %d slots", most, slots)
	}
	if n := len(p.slots); n != 0 {
		t.Errorf("%d slots have leaked", n)
	}
	p.close()
	if live := f.live.Load(); live != 0 {
		t.Errorf("%d things are left after the pool was closed", live)
	}
}

// TestPoolBusy checks the wait for a slot: until there is one, or ErrBusy.
func TestPoolBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, p := newThings(t, 1, 1)
		defer p.close()
		v, err := p.get(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begin := time.Now()
		if _, err := p.get(ctx); !errors.Is(err, ErrBusy) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want ErrBusy and the context's", err)
		}
		if waited := time.Since(begin); waited != time.Second {
			t.Errorf("waited %v, want 1s", waited)
		}
		time.AfterFunc(time.Second, func() { p.put(v, true) })
		begin = time.Now()
		again, err := p.get(context.Background())
		if err != nil || again != v || time.Since(begin) != time.Second {
			t.Errorf("got %v, %v after %v, want the thing that was put back after 1s", again, err, time.Since(begin))
		}
		p.put(again, true)
	})
}

// TestPoolOfBrokenThings checks that what is not sound or cannot be restored is
// destroyed, and what is sound is used again.
func TestPoolOfBrokenThings(t *testing.T) {
	t.Parallel()
	f, p := newThings(t, 2, 1)
	defer p.close()
	get := func() *thing {
		t.Helper()
		v, err := p.get(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	v := get()
	p.put(v, true)
	if again := get(); again != v || v.resets != 1 {
		t.Errorf("thing %d with %d resets, want thing %d with one", again.id, again.resets, v.id)
	}
	p.put(v, false)
	if !v.gone.Load() || v.resets != 1 {
		t.Errorf("a broken thing is still there, or was restored (%d times)", v.resets)
	}
	w := get()
	w.unrestoreable.Store(true)
	p.put(w, true)
	if w == v || !w.gone.Load() {
		t.Error("a thing that cannot be restored is still there")
	}
	f.refuse.Store(true)
	if _, err := p.get(context.Background()); !errors.Is(err, errFactory) {
		t.Errorf("error %v, want that of making a thing", err)
	}
	f.refuse.Store(false)
	a, b := get(), get() // both slots are free again
	p.put(a, true)
	p.put(b, true)
}

// TestPoolThatCannotStart checks that spares which cannot be made are an error
// at once, and that those made before it are not left over.
func TestPoolThatCannotStart(t *testing.T) {
	t.Parallel()
	f := &factory{}
	create := func() (*thing, error) {
		if f.made.Load() == 2 {
			return nil, errFactory
		}
		return f.create()
	}
	if _, err := newPool(5, 3, create, f.reset, f.destroy); !errors.Is(err, errFactory) {
		t.Errorf("error %v, want that of making a thing", err)
	}
	if live := f.live.Load(); live != 0 {
		t.Errorf("%d things are left", live)
	}
}

// TestPoolTrims checks that idle things go after a while, down to the spares,
// the longest idle first.
func TestPoolTrims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, p := newThings(t, 6, 2)
		defer p.close()
		var used []*thing
		for range 6 {
			v, err := p.get(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			used = append(used, v)
		}
		for _, v := range used[:3] {
			p.put(v, true)
		}
		time.Sleep(idleLife / 2)
		for _, v := range used[3:] {
			p.put(v, true)
		}
		time.Sleep(idleLife/2 + trimEvery + time.Second)
		synctest.Wait()
		if live := f.live.Load(); live != 3 || !used[0].gone.Load() || !used[1].gone.Load() || !used[2].gone.Load() {
			t.Errorf("%d things are left, want the three used last", live)
		}
		time.Sleep(10 * idleLife)
		synctest.Wait()
		if live := f.live.Load(); live != 2 || used[5].gone.Load() {
			t.Errorf("%d things are left after a long time, want two spares, among them the one used last", live)
		}
		if n := len(p.idle); n != 2 || cap(p.idle) > 2 && p.idle[:3][2].value != nil {
			t.Errorf("%d things are idle; destroyed ones must not be referred to", n)
		}
	})
}

// TestPoolCloses checks that closing waits for what is in use, turns the
// waiting away, and may be done twice.
func TestPoolCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, p := newThings(t, 2, 2)
		a, errA := p.get(context.Background())
		b, errB := p.get(context.Background())
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		waiting := make(chan error, 1)
		go func() {
			_, err := p.get(context.Background())
			waiting <- err
		}()
		synctest.Wait()
		closed := false
		go func() {
			p.close()
			closed = true
		}()
		synctest.Wait()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("who waited got %v, want ErrClosed", err)
		}
		p.put(a, true)
		synctest.Wait()
		if closed {
			t.Error("the pool was closed while a thing was in use")
		}
		p.put(b, false)
		synctest.Wait()
		if !closed || f.live.Load() != 0 {
			t.Errorf("closed %v, %d things left", closed, f.live.Load())
		}
		p.close()
		if _, err := p.get(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("get after close: %v, want ErrClosed", err)
		}
	})
}
