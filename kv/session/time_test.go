package session

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

func TestIdleTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Idle: time.Hour, Absolute: 24 * time.Hour})
		cookie := b.signedIn("ann")
		for range 5 { // A session in use outlives its idle time.
			time.Sleep(50 * time.Minute)
			if c := b.save(b.load(cookie)); c != nil {
				t.Errorf("a refresh sets cookie %v", c)
			}
		}
		if u := b.load(cookie).User(); u != "ann" {
			t.Fatalf("user %q while in use", u)
		}
		time.Sleep(time.Hour - time.Millisecond)
		if u := b.load(cookie).User(); u != "ann" {
			t.Errorf("user %q just before the end", u)
		}
		time.Sleep(time.Millisecond)
		b.wantDead(cookie)
		if len(b.keys()) != 2 {
			t.Errorf("stored %q: the end must not hang on the store's clock", b.keys())
		}
		time.Sleep(grace)
		if k := b.keys(); len(k) != 1 {
			t.Errorf("stored %q, want the index entry alone", k)
		}
		time.Sleep(24 * time.Hour)
		if k := b.keys(); len(k) > 0 {
			t.Errorf("stored %q for ever", k)
		}
	})
}

func TestAbsoluteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Idle: time.Hour, Absolute: 3 * time.Hour})
		cookie := b.signedIn("ann")
		for range 17 {
			time.Sleep(10 * time.Minute)
			s := b.load(cookie)
			b.set(s, "time", time.Now().String())
			b.save(s)
		}
		if u := b.load(cookie).User(); u != "ann" {
			t.Fatalf("user %q before the end", u)
		}
		time.Sleep(10 * time.Minute)
		b.wantDead(cookie)
		time.Sleep(grace)
		if k := b.keys(); len(k) > 0 {
			t.Errorf("stored %q after the end", k)
		}
	})
}

func TestDefaultsAreADay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		cookie := b.signedIn("ann")
		time.Sleep(24*time.Hour - time.Second)
		if u := b.load(cookie).User(); u != "ann" {
			t.Errorf("user %q", u)
		}
		time.Sleep(time.Second)
		b.wantDead(cookie)
	})
}

func TestShorterTimeoutHoldsForOldSessions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		cookie := b.signedIn("ann")
		time.Sleep(time.Hour)
		benchOver(t, b.store, Config{Idle: time.Hour}).wantDead(cookie)
		benchOver(t, b.store, Config{Absolute: time.Hour}).wantDead(cookie)
		benchOver(t, b.store, Config{Idle: 2 * time.Hour}).load(cookie)
	})
}

func TestSigningInAgainStartsTheClockAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Idle: 2 * time.Hour, Absolute: 2 * time.Hour})
		s := b.load(b.signedIn("ann"))
		time.Sleep(90 * time.Minute)
		s.SignIn("ann", 0)
		c := b.save(s)
		time.Sleep(90 * time.Minute)
		if u := b.load(c.Value).User(); u != "ann" {
			t.Errorf("user %q", u)
		}
	})
}

func TestIdleRefreshIsThrottled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ idle, interval time.Duration }{
		{24 * time.Hour, 144 * time.Minute}, {time.Hour, 6 * time.Minute}, {5 * time.Minute, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t, Config{Idle: c.idle, Absolute: 30 * 24 * time.Hour})
			cookie := b.signedIn("ann")
			before := b.commits()
			time.Sleep(c.interval - time.Millisecond)
			b.save(b.load(cookie))
			if n := b.commits() - before; n != 0 {
				t.Errorf("idle %v: %d writes before %v", c.idle, n, c.interval)
			}
			time.Sleep(time.Millisecond)
			for range 3 {
				b.save(b.load(cookie))
			}
			if n := b.commits() - before; n != 1 {
				t.Errorf("idle %v: %d writes at %v, want 1", c.idle, n, c.interval)
			}
			w := b.store.commits[len(b.store.commits)-1]
			if len(w) != 1 || w[0].TTL != c.idle+grace {
				t.Errorf("idle %v: the refresh writes %+v", c.idle, w)
			}
		})
	}
}

func TestFailedRefreshIsIgnored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{})
		cookie := b.signedIn("ann")
		time.Sleep(3 * time.Hour)
		slow, quick := b.load(cookie), b.load(cookie)
		b.set(quick, "a", "1")
		b.save(quick)
		if c := b.save(slow); c != nil {
			t.Errorf("a refresh that lost the race sets cookie %v", c)
		}
		b.wantValue(cookie, "a", "1")
		time.Sleep(3 * time.Hour)
		for _, err := range []error{kv.ErrUnavailable, kv.ErrConflict} {
			s := b.load(cookie)
			b.store.commitErr = err
			if c := b.save(s); c != nil {
				t.Errorf("%v: cookie %v", err, c)
			}
			b.store.commitErr = nil
		}
		if u := b.load(cookie).User(); u != "ann" {
			t.Errorf("user %q", u)
		}
	})
}

func TestNothingIsWrittenAfterTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, Config{Idle: time.Hour})
		cookie := b.signedIn("ann")
		touching, changing := b.load(cookie), b.load(cookie)
		before := b.commits()
		time.Sleep(time.Hour)
		if c := b.save(touching); c != nil {
			t.Errorf("cookie %v", c)
		}
		b.set(changing, "a", "1")
		if c, err := b.Save(t.Context(), changing); !errors.Is(err, ErrEnded) || c != nil {
			t.Errorf("cookie %v, error %v", c, err)
		}
		if n := b.commits() - before; n != 0 {
			t.Errorf("%d writes after the end", n)
		}
		b.wantDead(cookie)
	})
}
