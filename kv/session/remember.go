package session

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/http"
	"time"
)

// The parts of a remembered device's cookie value before encoding, in bytes.
const (
	selectorSize     = 16
	verifierSize     = 32
	rememberBodySize = 1 + sha256.Size + selectorSize + verifierSize
)

// Labels of the uses of secrets and hashes for remembered devices.
const (
	nextLabel     = "lectern remember next v1"
	deviceLabel   = "lectern remember device v1"
	verifierLabel = "lectern remember verifier v1"
)

const (
	// rememberVersion is the first byte of a remembered device's record.
	rememberVersion = 1
	// maxNotice is the most bytes of the notice in case of theft.
	maxNotice = 512
	// rotationGrace is how long a token that was used is still taken from a
	// tab that sent it at the same time as another, or again because the
	// answer was lost. It then gets what the first one got and nothing new.
	rotationGrace = time.Minute
)

// rememberToken is what the cookie of a remembered device says.
type rememberToken struct {
	// user is a hash of the user's id, which finds the record; selector names
	// the device, and verifier proves that the browser was given the token.
	user     [sha256.Size]byte
	selector [selectorSize]byte
	verifier [verifierSize]byte
	// expires is when the device is forgotten; zero if the token was parsed.
	expires time.Time
}

// newRememberToken draws a token for a user's device.
func newRememberToken(user string, expires time.Time) *rememberToken {
	t := &rememberToken{user: digest(userLabel, []byte(user)), expires: expires}
	_, _ = rand.Read(t.selector[:])
	_, _ = rand.Read(t.verifier[:])
	return t
}

// encode is the body of the cookie value.
func (t *rememberToken) encode() []byte {
	return bytes.Join([][]byte{{tokenVersion}, t.user[:], t.selector[:], t.verifier[:]}, nil)
}

// decodeRemember reads a genuine body.
func decodeRemember(body []byte) *rememberToken {
	t, rest := &rememberToken{}, body[1:]
	rest = rest[copy(t.user[:], rest):]
	rest = rest[copy(t.selector[:], rest):]
	copy(t.verifier[:], rest)
	return t
}

// device is the public name of the device: a hash, which opens nothing.
func (t *rememberToken) device() string { return labelled(deviceLabel, t.selector[:]) }

// key is the store's key of the device.
func (t *rememberToken) key() string {
	return devicePrefix(keyEncoding.EncodeToString(t.user[:])) + t.device()
}

// digest is what the store keeps of the verifier.
func (t *rememberToken) digest() [sha256.Size]byte { return digest(verifierLabel, t.verifier[:]) }

// successor is the token that this one turns into when it is used, and the id
// of the session that it opens. Both follow from the token and a key of the
// server, so that two tabs which present it at once are given the same.
func (t *rememberToken) successor(key []byte, expires time.Time) (*rememberToken, sessionID) {
	next, id := *t, sessionID{}
	copy(next.verifier[:], mac(key, []byte("verifier"), t.selector[:], t.verifier[:]))
	copy(id[:], mac(key, []byte("session"), t.selector[:], t.verifier[:]))
	next.expires = expires
	return &next, id
}

// rememberCookie is the cookie of a token; it outlives the browser.
func (m *Manager) rememberCookie(t *rememberToken) *http.Cookie {
	return m.cookie(m.remember.name, m.remember.seal(t.encode()), time.Until(t.expires))
}

// devicePrefix is what the keys of a user's remembered devices start with.
func devicePrefix(userHash string) string { return "r/" + userHash + "/" }

// Remember asks for this device to be signed in by itself for Config.Remember,
// whenever it comes without a live session. It counts together with a SignIn
// before it. If a token of the device ever comes again that was used before,
// somebody has copied it: then all of the user's remembered devices end, and
// notice, at most 512 bytes, waits for the user; see Manager.Warning.
func (s *Session) Remember(notice string) error {
	if len(notice) > maxNotice {
		return fmt.Errorf("%w: the notice has %d bytes, the most is %d", ErrTooLarge, len(notice), maxNotice)
	}
	s.wish = &notice
	return nil
}

// Remembers reports whether the configuration lets devices be remembered.
func (m *Manager) Remembers() bool { return m.cfg.Remember > 0 }
