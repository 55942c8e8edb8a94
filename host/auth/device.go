package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"
	"slices"
	"time"
)

// A known device is a browser in which somebody has signed in before. Its
// cookie opens nothing; it only moves the attempts that are made with it out
// of the limits that strangers can use up (OWASP: "Slow Down Online Guessing
// Attacks with Device Cookies").
//
// The value is base64url of: version 1, a nonce that names the device, the day
// of issue, up to five tags of accounts, and an HMAC-SHA256 of all that. A tag
// is an HMAC of the account's id and generation, so it tells nobody who it
// stands for, and a new password makes all devices strangers.
const (
	deviceVersion = 1
	nonceSize     = 16
	tagSize       = 16
	deviceHead    = 1 + nonceSize + 4
	maxTags       = 5
	// deviceLife is how long a device is known, and the longest that browsers
	// keep a cookie; deviceRenewal is the age at which a sign-in renews it.
	deviceLife    = 400
	deviceRenewal = 30
	deviceLabel   = "lectern known device v1"
)

// deviceEncoding gives each value one spelling.
var deviceEncoding = base64.RawURLEncoding.Strict()

// device is what the cookie says.
type device struct {
	nonce [nonceSize]byte
	// day counts from 1970, UTC.
	day  uint32
	tags [][tagSize]byte
	// key is the one that signed.
	key []byte
}

// DeviceCookieName is the name of the cookie of a known device.
func (a *Auth) DeviceCookieName() string {
	if a.secure {
		return "__Host-device"
	}
	return "device"
}

// KnownDevice gives the cookie that makes a browser known to an account that
// has just signed in, or nil if value, the browser's present one, does so.
func (a *Auth) KnownDevice(value string, account Account) *http.Cookie {
	if len(a.deviceKeys) == 0 {
		return nil
	}
	d, ok := a.parseDevice(value)
	today := today()
	if ok && today-d.day < deviceRenewal && hmac.Equal(d.key, a.deviceKeys[0]) &&
		slices.Contains(d.tags, d.tag(account)) {
		return nil
	}
	if !ok {
		_, _ = rand.Read(d.nonce[:])
	}
	if ok && !hmac.Equal(d.key, a.deviceKeys[0]) {
		d.tags = nil // The other accounts' tags cannot be made anew.
	}
	d.key, d.day = a.deviceKeys[0], today
	own := d.tag(account)
	tags := slices.DeleteFunc(d.tags, func(t [tagSize]byte) bool { return t == own })
	d.tags = append([][tagSize]byte{own}, tags[:min(len(tags), maxTags-1)]...)
	return &http.Cookie{
		Name: a.DeviceCookieName(), Value: d.encode(), Path: "/", MaxAge: deviceLife * 24 * 60 * 60,
		Secure: a.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// knows reports whether an account has signed in on the device of a cookie
// value, and names the device.
func (a *Auth) knows(value string, account Account) (nonce string, known bool) {
	d, ok := a.parseDevice(value)
	if !ok || account.ID == "" {
		return "", false
	}
	return string(d.nonce[:]), slices.Contains(d.tags, d.tag(account))
}

// today is the number of the day.
func today() uint32 { return uint32(time.Now().Unix() / (24 * 60 * 60)) }

// tag stands for an account.
func (d device) tag(account Account) (tag [tagSize]byte) {
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte("tag\x00" + account.ID))
	m.Write(binary.BigEndian.AppendUint64(nil, account.Generation))
	copy(tag[:], m.Sum(nil))
	return tag
}

// body is what is signed.
func (d device) body() []byte {
	b := append([]byte{deviceVersion}, d.nonce[:]...)
	b = binary.BigEndian.AppendUint32(b, d.day)
	for _, t := range d.tags {
		b = append(b, t[:]...)
	}
	return b
}

// sign is the signature of a body.
func (d device) sign(body []byte) []byte {
	m := hmac.New(sha256.New, d.key)
	m.Write([]byte("device\x00"))
	m.Write(body)
	return m.Sum(nil)
}

// encode makes the cookie value.
func (d device) encode() string {
	body := d.body()
	return deviceEncoding.EncodeToString(append(body, d.sign(body)...))
}

// parseDevice reads a value that anybody may have written.
func (a *Auth) parseDevice(value string) (device, bool) {
	if len(value) > deviceEncoding.EncodedLen(deviceHead+maxTags*tagSize+sha256.Size) {
		return device{}, false
	}
	b, err := deviceEncoding.DecodeString(value)
	n := len(b) - deviceHead - sha256.Size
	if err != nil || n < tagSize || n%tagSize != 0 || b[0] != deviceVersion || deviceEncoding.EncodeToString(b) != value {
		return device{}, false
	}
	body, sum := b[:deviceHead+n], b[deviceHead+n:]
	for _, key := range a.deviceKeys {
		d := device{key: key, day: binary.BigEndian.Uint32(body[1+nonceSize:])}
		if !hmac.Equal(sum, d.sign(body)) {
			continue
		}
		copy(d.nonce[:], body[1:])
		for rest := body[deviceHead:]; len(rest) > 0; rest = rest[tagSize:] {
			d.tags = append(d.tags, [tagSize]byte(rest[:tagSize]))
		}
		// A day in the future is of a clock that was ahead; it ends in time.
		return d, today() < d.day+deviceLife && d.day < today()+deviceLife
	}
	return device{}, false
}
