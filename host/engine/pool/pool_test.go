package pool

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
	unrestoreable atomic.Bool
	resets        int

	mu     sync.Mutex
	reason string // why it was ended, "" if it lives
}

// ended is why the thing was ended.
func (v *thing) ended() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.reason
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

func (f *factory) destroy(v *thing, reason string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.reason != "" {
		panic("a thing was ended twice")
	}
	v.reason = reason
	f.live.Add(-1)
}

// lane opens a lane of things, each of cost 1.
func lane(t *testing.T, p *Pool[*thing], most, spares int) (*factory, *Lane[*thing]) {
	t.Helper()
	f := &factory{}
	l, err := p.Open(Options[*thing]{Create: f.create, Reset: f.reset, Destroy: f.destroy, Most: most, Spares: spares, Cost: 1})
	if err != nil {
		t.Fatal(err)
	}
	return f, l
}

// mustGet is Get where it must succeed at once.
func mustGet(t *testing.T, l *Lane[*thing]) *thing {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	v, err := l.Get(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestUnderLoad hammers two lanes of one budget from many sides: nobody shares
// a thing, gets a dirty or ended one, and there are never more than allowed.
func TestUnderLoad(t *testing.T) {
	t.Parallel()
	const most, budget, users, turns = 8, 12, 60, 300
	p := New[*thing](budget)
	factories, lanes := [2]*factory{}, [2]*Lane[*thing]{}
	for i := range lanes {
		factories[i], lanes[i] = lane(t, p, most, 2)
	}
	var all sync.WaitGroup
	for user := range users {
		f, l := factories[user%2], lanes[user%2]
		all.Go(func() {
			for range turns {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+rand.IntN(100))*time.Millisecond)
				v, err := l.Get(ctx)
				cancel()
				if err != nil {
					if !errors.Is(err, errFactory) && !errors.Is(err, ErrBusy) {
						t.Errorf("get: %v", err)
					}
					continue
				}
				if v.inUse.Swap(true) || v.dirty.Swap(true) || v.ended() != "" {
					t.Errorf("thing %d is in use, dirty or ended", v.id)
				}
				v.unrestoreable.Store(rand.IntN(50) == 0)
				f.refuse.Store(rand.IntN(20) == 0)
				v.inUse.Store(false)
				reason := ""
				if rand.IntN(30) == 0 {
					reason = "test"
				}
				l.Put(v, time.Microsecond, reason)
			}
		})
	}
	all.Wait()
	for i, f := range factories {
		f.refuse.Store(false)
		if got := f.most.Load(); got > most {
			t.Errorf("%d things at once in a lane of %d", got, most)
		}
		if s := lanes[i].Stats(); s.InUse != 0 && !lanes[i].filling || s.Waiting != 0 {
			t.Errorf("something has leaked: %+v", s)
		}
		lanes[i].Close()
		if live := f.live.Load(); live != 0 {
			t.Errorf("%d things are left after the lane was closed", live)
		}
	}
	if p.used != 0 || p.waiting != 0 {
		t.Errorf("the books say %d used, %d waiting", p.used, p.waiting)
	}
}

// TestBrokenThings checks that what is not sound or cannot be restored is
// ended, what is sound is used again, and spares are made anew.
func TestBrokenThings(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, l := lane(t, New[*thing](0), 2, 1)
		defer l.Close()
		v := mustGet(t, l)
		l.Put(v, 1, "")
		if again := mustGet(t, l); again != v || v.resets != 1 {
			t.Errorf("thing %d with %d resets, want thing %d with one", again.id, again.resets, v.id)
		}
		l.Put(v, 1, "broken")
		synctest.Wait()
		if v.ended() != "broken" || v.resets != 1 {
			t.Errorf("a broken thing was ended for %q and restored %d times", v.ended(), v.resets)
		}
		if s := l.Stats(); s.Idle != 1 || f.live.Load() != 1 {
			t.Errorf("the spare was not made anew: %+v", s)
		}
		w := mustGet(t, l)
		w.unrestoreable.Store(true)
		l.Put(w, 1, "")
		if w == v || w.ended() != EndedReset {
			t.Error("a thing that cannot be restored is still there")
		}
		synctest.Wait()
		f.refuse.Store(true)
		a := mustGet(t, l)
		if _, err := l.Get(context.Background()); !errors.Is(err, errFactory) {
			t.Errorf("error %v, want that of making a thing", err)
		}
		f.refuse.Store(false)
		b := mustGet(t, l)
		l.Put(a, 1, "")
		l.Put(b, 1, "")
	})
}

// TestCannotStart checks that spares which cannot be made are an error at
// once, and that those made before it are not left over.
func TestCannotStart(t *testing.T) {
	t.Parallel()
	f := &factory{}
	create := func() (*thing, error) {
		if f.made.Load() == 2 {
			return nil, errFactory
		}
		return f.create()
	}
	o := Options[*thing]{Create: create, Reset: f.reset, Destroy: f.destroy, Most: 5, Spares: 3}
	if _, err := New[*thing](0).Open(o); !errors.Is(err, errFactory) {
		t.Errorf("error %v, want that of making a thing", err)
	}
	if live := f.live.Load(); live != 0 {
		t.Errorf("%d things are left", live)
	}
	o.Most = 0
	if _, err := New[*thing](0).Open(o); err == nil {
		t.Error("a lane of no values was opened")
	}
}

// TestTrims checks that idle things go after a while, down to the spares, the
// longest idle first.
func TestTrims(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, l := lane(t, New[*thing](0), 6, 2)
		defer l.Close()
		var used []*thing
		for range 6 {
			used = append(used, mustGet(t, l))
		}
		for _, v := range used[:3] {
			l.Put(v, 1, "")
		}
		time.Sleep(idleLife / 2)
		for _, v := range used[3:] {
			l.Put(v, 1, "")
		}
		time.Sleep(idleLife/2 + trimEvery + time.Second)
		synctest.Wait()
		if live := f.live.Load(); live != 3 || used[0].ended() != EndedIdle || used[1].ended() == "" || used[2].ended() == "" {
			t.Errorf("%d things are left, want the three used last", live)
		}
		time.Sleep(10 * idleLife)
		synctest.Wait()
		if live := f.live.Load(); live != 2 || used[5].ended() != "" {
			t.Errorf("%d things are left after a long time, want two spares, among them the one used last", live)
		}
		if n := len(l.idle); n != 2 || cap(l.idle) > 2 && l.idle[:3][2].value != nil {
			t.Errorf("%d things are idle; ended ones must not be referred to", n)
		}
	})
}

// TestCloses checks that closing waits for what is in use, turns the waiting
// away, and may be done twice.
func TestCloses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f, l := lane(t, New[*thing](0), 2, 2)
		a, b := mustGet(t, l), mustGet(t, l)
		waiting := make(chan error, 1)
		go func() {
			_, err := l.Get(context.Background())
			waiting <- err
		}()
		synctest.Wait()
		closed := false
		go func() {
			l.Close()
			closed = true
		}()
		synctest.Wait()
		if err := <-waiting; !errors.Is(err, ErrClosed) {
			t.Errorf("who waited got %v, want ErrClosed", err)
		}
		l.Put(a, 1, "")
		synctest.Wait()
		if closed {
			t.Error("the lane was closed while a thing was in use")
		}
		l.Put(b, 1, "broken")
		synctest.Wait()
		if !closed || f.live.Load() != 0 || a.ended() != EndedClosed {
			t.Errorf("closed %v, %d things left, the first ended for %q", closed, f.live.Load(), a.ended())
		}
		l.Close()
		if _, err := l.Get(context.Background()); !errors.Is(err, ErrClosed) {
			t.Errorf("get after close: %v, want ErrClosed", err)
		}
	})
}
