package auth

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestVictimIsNotLockedOut attacks an account from many addresses: the owner
// gets in on a known device at once, and elsewhere when the attack is over.
func TestVictimIsNotLockedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		home := d.known("ann")
		looked := 0
		for i := range 200 {
			looked += d.fail(1, "ann", fmt.Sprintf("198.51.100.%d", i), "")
		}
		if looked != accountLimit.burst {
			t.Errorf("%d passwords of many addresses were looked at, want %d", looked, accountLimit.burst)
		}
		if err := d.try("ann", goodPassword, "203.0.113.1", home); err != nil {
			t.Errorf("the owner on a known device: %v", err)
		}
		if err := d.try("bob", goodPassword, "198.51.100.1", ""); err != nil {
			t.Errorf("somebody else: %v", err)
		}
		var refused Throttled
		if err := d.try("ann", goodPassword, "203.0.113.1", ""); !errors.As(err, &refused) || refused.Wait > accountLimit.each {
			t.Errorf("the owner on a new device: %v", err)
		}
		time.Sleep(refused.Wait)
		if err := d.try("ann", goodPassword, "203.0.113.1", ""); err != nil {
			t.Errorf("the owner on a new device after %v: %v", refused.Wait, err)
		}
		if log := d.log.String(); !strings.Contains(log, "limit=account") || strings.Contains(log, "ann") || strings.Contains(log, "198.51") {
			t.Errorf("the log does not tell of it, or tells too much:\n%s", log)
		}
	})
}

// TestKnownDeviceHasItsOwnLimit is a thief with a copy of the cookie.
func TestKnownDeviceHasItsOwnLimit(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	home := d.known("ann")
	looked := 0
	for i := range 50 {
		looked += d.fail(1, "ann", fmt.Sprintf("198.51.100.%d", i), home)
	}
	if looked != deviceLimit.burst {
		t.Errorf("%d passwords were looked at, want %d", looked, deviceLimit.burst)
	}
	if err := d.try("ann", goodPassword, "203.0.113.1", ""); err != nil {
		t.Errorf("the owner elsewhere: %v", err)
	}
	if n := d.fail(50, "bob", "203.0.113.1", home); n != pairLimit.burst {
		t.Errorf("another account has %d attempts on the device, want %d", n, pairLimit.burst)
	}
}

// TestClassroomIsNotLockedOut lets 300 people behind one address sign in while
// one of them guesses another's password, and a third mistype theirs.
func TestClassroomIsNotLockedOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		for i := range 300 {
			login := fmt.Sprintf("pupil%d", i)
			if _, err := d.Create(t.Context(), NewAccount{Login: login, Password: goodPassword, Role: "student"}); err != nil {
				t.Fatal(err)
			}
		}
		if n := d.fail(100, "ann", "203.0.113.1", ""); n != pairLimit.burst {
			t.Errorf("the guesser has %d attempts, want %d", n, pairLimit.burst)
		}
		for i := range 300 {
			login := fmt.Sprintf("pupil%d", i)
			if i%3 == 0 {
				d.fail(1, login, "203.0.113.1", "")
			}
			if err := d.try(login, goodPassword, "203.0.113.1", ""); err != nil {
				t.Fatalf("%s: %v", login, err)
			}
		}
	})
}

// TestOnePasswordOnManyNames is what the limit of an address is for.
func TestOnePasswordOnManyNames(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		for from, other := range map[string]string{
			"203.0.113.1": "203.0.113.1", "2001:db8:1:2::1": "2001:db8:1:2:ffff::1", "::ffff:198.51.100.7": "198.51.100.7", "": "",
		} {
			looked := 0
			for i := range addressLimit.burst + 50 {
				address := from
				if i%2 == 1 {
					address = other
				}
				looked += d.fail(1, fmt.Sprintf("name%d", i), address, "")
			}
			if looked != addressLimit.burst {
				t.Errorf("%q: %d names were tried, want %d", from, looked, addressLimit.burst)
			}
		}
		if err := d.try("ann", goodPassword, "2001:db8:1:3::1", ""); err != nil {
			t.Errorf("the neighbouring network: %v", err)
		}
		if err := d.try("ann", goodPassword, "203.0.113.1", d.known("ann")); err != nil {
			t.Errorf("a known device behind the address: %v", err)
		}
	})
}
