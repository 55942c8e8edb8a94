package auth

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lectern-lms/lectern/kv/memory"
)

// keyed is an Auth that only makes cookies.
func keyed(secure bool, keys ...string) *Auth {
	var list [][]byte
	for _, k := range keys {
		list = append(list, []byte(k))
	}
	return New(memory.New(), Options{Params: cheap, Keys: list, Secure: secure})
}

// person is an account by its number.
func person(n byte) Account {
	return Account{ID: strings.Repeat("0", 25) + string('0'+n), Generation: 1}
}

func TestDeviceCookie(t *testing.T) {
	t.Parallel()
	a := keyed(true, "one")
	c := a.KnownDevice("", person(1))
	if c.Name != "__Host-device" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 400*86400 {
		t.Errorf("the cookie is %+v", c)
	}
	if plain := keyed(false, "one").KnownDevice("", person(1)); plain.Name != "device" || plain.Secure {
		t.Errorf("the plain cookie is %+v", plain)
	}
	if len(c.Name)+len(c.Value) > 256 {
		t.Errorf("the value has %d characters", len(c.Value))
	}
	nonce, known := a.knows(c.Value, person(1))
	if !known || len(nonce) != nonceSize {
		t.Errorf("known %v, nonce of %d bytes", known, len(nonce))
	}
	renewed := person(1)
	renewed.Generation++
	for name, acc := range map[string]Account{"another account": person(2), "another generation": renewed, "nobody": {}} {
		if _, known := a.knows(c.Value, acc); known {
			t.Errorf("%s is known", name)
		}
	}
	if again := a.KnownDevice(c.Value, person(1)); again != nil {
		t.Errorf("a cookie that is good is replaced by %v", again)
	}
	if keyed(true).KnownDevice("", person(1)) != nil {
		t.Error("a cookie without a key")
	}
}

func TestDeviceIsSharedBySome(t *testing.T) {
	t.Parallel()
	a := keyed(false, "one")
	value := ""
	for n := range byte(maxTags + 2) {
		value = a.KnownDevice(value, person(n)).Value
	}
	var known []byte
	for n := range byte(maxTags + 2) {
		if _, ok := a.knows(value, person(n)); ok {
			known = append(known, n)
		}
	}
	if !slices.Equal(known, []byte{2, 3, 4, 5, 6}) {
		t.Errorf("known are %v, want the last %d", known, maxTags)
	}
}

func TestDeviceAges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := keyed(false, "one")
		first := a.KnownDevice("", person(1)).Value
		nonce, _ := a.knows(first, person(1))
		time.Sleep(deviceRenewal * 24 * time.Hour)
		second := a.KnownDevice(first, person(1))
		if second == nil {
			t.Fatal("a month later the cookie is not renewed")
		}
		if again, _ := a.knows(second.Value, person(1)); again != nonce {
			t.Error("the renewed device has another name")
		}
		time.Sleep((deviceLife - deviceRenewal) * 24 * time.Hour)
		if _, known := a.knows(first, person(1)); known {
			t.Error("a device is known for ever")
		}
		if _, known := a.knows(second.Value, person(1)); !known {
			t.Error("the renewed device is forgotten too early")
		}
	})
}

func TestDeviceKeysRotate(t *testing.T) {
	t.Parallel()
	old := keyed(false, "old").KnownDevice("", person(1)).Value
	both := keyed(false, "new", "old")
	if _, known := both.knows(old, person(1)); !known {
		t.Error("a device of the fallback key is a stranger")
	}
	renewed := both.KnownDevice(old, person(1))
	if renewed == nil {
		t.Fatal("a cookie of the fallback key is not renewed")
	}
	only := keyed(false, "new")
	if _, known := only.knows(renewed.Value, person(1)); !known {
		t.Error("the renewed device is a stranger once the old key is retired")
	}
	if _, known := only.knows(old, person(1)); known {
		t.Error("a cookie of the retired key is good")
	}
}

func TestForgedDevicesAreStrangers(t *testing.T) {
	t.Parallel()
	a := keyed(false, "one")
	good := a.KnownDevice("", person(1)).Value
	raw, err := deviceEncoding.DecodeString(good)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] ^= 1
		if _, known := a.knows(deviceEncoding.EncodeToString(raw), person(1)); known {
			t.Errorf("byte %d may be changed", i)
		}
		raw[i] ^= 1
	}
	for name, value := range map[string]string{
		"empty": "", "word": "device", "truncated": good[:len(good)-4], "longer": good + "AAAA", "oversized": strings.Repeat(good, 1000),
		"line break": good[:10] + "\n" + good[10:], "another key": keyed(false, "two").KnownDevice("", person(1)).Value,
	} {
		if _, known := a.knows(value, person(1)); known {
			t.Errorf("%s is known", name)
		}
	}
}

// FuzzParseDevice holds that only values which KnownDevice makes are read, each
// in one spelling.
func FuzzParseDevice(f *testing.F) {
	a := keyed(false, "one")
	good := a.KnownDevice("", person(1)).Value
	for _, seed := range []string{"", good, good[:len(good)-4], good + "AAAA", "device"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if d, ok := a.parseDevice(value); ok && d.encode() != value {
			t.Errorf("%q is read and written as %q", value, d.encode())
		}
	})
}
