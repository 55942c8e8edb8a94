package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/memory"
)

// deviceKey signs the cookies of devices in these tests.
var deviceKey = []byte("a key for tests, 32 bytes long..")

// door is an Auth with a count of writes to the store of attempts.
type door struct {
	*Auth
	t      *testing.T
	limits *counting
	log    *bytes.Buffer
}

// newDoor makes one whose accounts are ann and bob.
func newDoor(t *testing.T) *door {
	t.Helper()
	b := newBench(t)
	b.create(NewAccount{Login: "ann", Email: "ann@example.org"})
	b.create(NewAccount{Login: "bob"})
	return doorOver(t, b.store, memory.New())
}

// doorOver makes another node's.
func doorOver(t *testing.T, accounts, limits kv.Store) *door {
	d := &door{t: t, limits: &counting{Store: limits}, log: new(bytes.Buffer)}
	d.Auth = New(accounts, Options{
		Params: cheap, Limits: d.limits, Keys: [][]byte{deviceKey}, Logger: slog.New(slog.NewTextHandler(d.log, nil)),
	})
	return d
}

// try is one attempt from an address on a device.
func (d *door) try(login, password, address, device string) error {
	d.t.Helper()
	a := netip.Addr{}
	if address != "" {
		a = netip.MustParseAddr(address)
	}
	_, err := d.SignIn(d.t.Context(), Attempt{Login: login, Password: password, Address: a, Device: device})
	return err
}

// fail makes failed attempts until one is refused, n at most, and tells how
// many passwords were looked at.
func (d *door) fail(n int, login, address, device string) int {
	d.t.Helper()
	for i := range n {
		if err := d.try(login, "wrong password", address, device); errors.Is(err, ErrThrottled) {
			return i
		} else if !errors.Is(err, ErrWrong) {
			d.t.Fatalf("attempt %d: %v", i+1, err)
		}
	}
	return n
}

// known is the cookie of a device on which somebody has signed in.
func (d *door) known(login string) string {
	d.t.Helper()
	acc, err := d.Find(d.t.Context(), login)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.KnownDevice("", acc).Value
}

func TestGuessingOnePasswordIsSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, login := range []string{"ann", "nobody", "", "a/b", "nobody@example.org"} {
			d := newDoor(t)
			if n := d.fail(50, login, "203.0.113.1", ""); n != pairLimit.burst {
				t.Errorf("%q: %d attempts, want %d", login, n, pairLimit.burst)
			}
			err := d.try(login, goodPassword, "203.0.113.1", "")
			var refused Throttled
			if !errors.As(err, &refused) || refused.Wait <= 0 || refused.Wait > pairLimit.each {
				t.Errorf("%q: with the right password: %v", login, err)
			}
			time.Sleep(refused.Wait)
			if n := d.fail(50, login, "203.0.113.1", ""); n != 1 {
				t.Errorf("%q: %d attempts after the wait, want 1", login, n)
			}
			time.Sleep(time.Duration(pairLimit.burst) * pairLimit.each)
			if n := d.fail(50, login, "203.0.113.1", ""); n != pairLimit.burst {
				t.Errorf("%q: %d attempts when all is forgotten, want %d", login, n, pairLimit.burst)
			}
		}
	})
}

func TestNamesOfOneAccountShareItsLimit(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	if n := d.fail(3, "ann", "203.0.113.1", "") + d.fail(50, "Ann@Example.org", "203.0.113.1", ""); n != pairLimit.burst {
		t.Errorf("%d attempts by login and e-mail together, want %d", n, pairLimit.burst)
	}
}

func TestSuccessForgivesAndCostsNoWrite(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.limits.before = func() { t.Error("a sign-in without failures before it writes to the store of attempts") }
	for range 50 {
		if err := d.try("ann", goodPassword, "203.0.113.1", ""); err != nil {
			t.Fatal(err)
		}
	}
	d.limits.before = nil
	for range 3 {
		d.fail(pairLimit.burst-1, "ann", "203.0.113.1", "")
		if err := d.try("ann", goodPassword, "203.0.113.1", ""); err != nil {
			t.Fatalf("after some mistakes: %v", err)
		}
	}
}

// TestLimitsAreShared attacks on three nodes in turn.
func TestLimitsAreShared(t *testing.T) {
	t.Parallel()
	one := newDoor(t)
	nodes := []*door{one, doorOver(t, one.store, one.limits.Store), doorOver(t, one.store, one.limits.Store)}
	looked := 0
	for i := range 30 {
		looked += nodes[i%3].fail(1, "ann", "203.0.113.1", "")
	}
	if looked != pairLimit.burst {
		t.Errorf("%d passwords were looked at, want %d", looked, pairLimit.burst)
	}
}

// TestParallelAttemptsAreCounted sends all guesses at the same moment.
func TestParallelAttemptsAreCounted(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	var (
		mu     sync.Mutex
		looked int
		wait   sync.WaitGroup
	)
	for range 64 {
		wait.Go(func() {
			n := d.fail(1, "ann", "203.0.113.1", "")
			mu.Lock()
			defer mu.Unlock()
			looked += n
		})
	}
	wait.Wait()
	if looked != pairLimit.burst {
		t.Errorf("%d passwords were looked at, want %d", looked, pairLimit.burst)
	}
}

// TestCountersEnd bounds the memory: every record has a time to live, and
// when it is over nothing is left.
func TestCountersEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		for i := range 100 {
			d.fail(1, fmt.Sprintf("name%d", i), fmt.Sprintf("198.51.100.%d", i), "")
		}
		d.fail(10, "ann", "203.0.113.1", d.known("ann"))
		count := func() int {
			page, err := d.limits.Scan(t.Context(), kv.Range{})
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page.Entries {
				if e.Expires.IsZero() || len(e.Key) > 80 || len(e.Value) != 8 {
					t.Errorf("%q has %d bytes and lives until %v", e.Key, len(e.Value), e.Expires)
				}
			}
			return len(page.Entries)
		}
		if n := count(); n != 301 {
			t.Errorf("%d records, want 301", n)
		}
		time.Sleep(time.Duration(deviceLimit.burst)*deviceLimit.each + 2*time.Second)
		if n := count(); n != 0 {
			t.Errorf("%d records are left", n)
		}
	})
}

func TestStrangeCounters(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	key := newCounter(accountLimit, "name nobody").key
	for name, value := range map[string]string{"garbage": "{}", "empty": "", "far future": "\x7f\xff\xff\xff\xff\xff\xff\xff"} {
		if _, err := d.limits.Commit(t.Context(), nil, []kv.Write{kv.Put(key, []byte(value))}); err != nil {
			t.Fatal(err)
		}
		var refused Throttled
		err := d.try("nobody", "wrong password", "203.0.113.9", "")
		if errors.As(err, &refused) && refused.Wait > accountLimit.each {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAttemptsWithoutTheirStoreAreRefused(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.limits.err = kv.ErrUnavailable
	for _, password := range []string{goodPassword, "wrong password"} {
		if err := d.try("ann", password, "203.0.113.1", ""); !errors.Is(err, kv.ErrUnavailable) || errors.Is(err, ErrWrong) {
			t.Errorf("%v", err)
		}
	}
	d.limits.err = nil
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.SignIn(ctx, Attempt{Login: "ann", Password: goodPassword}); err == nil {
		t.Error("no error though the request has ended")
	}
}

// TestUnknownNamesCostTheSameToSignIn counts work in place of time, refused
// attempts included.
func TestUnknownNamesCostTheSameToSignIn(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	hashes := 0
	d.hasher.derive = func(password, salt []byte, p Params, size int) []byte {
		hashes++
		return argon2id(password, salt, p, size)
	}
	accounts := d.store.(*counting)
	for round := range pairLimit.burst + 2 {
		var first [3]int64
		for i, login := range []string{"ann", "ann@example.org", "nobody", "nobody@example.org", "", "a/b"} {
			from := fmt.Sprintf("198.51.100.%d", i)
			before := [3]int64{accounts.gets.Load(), d.limits.gets.Load(), int64(hashes)}
			err := d.try(login, "wrong password", from, "")
			if throttled := errors.Is(err, ErrThrottled); throttled != (round >= pairLimit.burst) {
				t.Fatalf("round %d, %q: %v", round+1, login, err)
			}
			cost := [3]int64{accounts.gets.Load() - before[0], d.limits.gets.Load() - before[1], int64(hashes) - before[2]}
			if i == 0 {
				first = cost
			} else if cost != first {
				t.Errorf("round %d, %q: reads of accounts and attempts, and hashes: %v, want %v", round+1, login, cost, first)
			}
		}
	}
}
