package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"

	"github.com/lectern-lms/lectern/kv"
)

// The parts of a session's cookie value before encoding, in bytes; see the
// package comment for the layout.
const (
	tokenVersion = 1
	idSize       = 32
	bodySize     = 1 + idSize + 8
	tokenSize    = bodySize + sha256.Size
)

// Labels that keep the uses of one secret, and the hashes in the store, apart
// from each other and from every other use of the same secret.
const (
	signLabel = "lectern session cookie v1"
	logLabel  = "lectern session log v1"
	idLabel   = "lectern session id v1"
	userLabel = "lectern session user v1"
)

// tokenEncoding writes cookie values. Strict refuses stray bits at the end,
// so that each token has one spelling.
var tokenEncoding = base64.RawURLEncoding.Strict()

// tokenLength is the length of every session's cookie value (98 characters).
var tokenLength = tokenEncoding.EncodedLen(tokenSize)

// keyEncoding writes hashes as key segments: lower case and digits only,
// which every store below takes as they are.
var keyEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// Why a cookie value was refused; for the log only.
var (
	errMalformed = errors.New("malformed")
	errForged    = errors.New("forged or signed with a retired key")
)

// sessionID is the secret that a cookie carries. It is never stored or logged.
type sessionID [idSize]byte

// newID draws an id. The system's source never fails: Go ends the process
// rather than return weak bytes.
func newID() sessionID {
	var id sessionID
	_, _ = rand.Read(id[:])
	return id
}

// hash is the id's name in the store. It needs no key: 256 random bits cannot
// be guessed, and a key change must not lose the records.
func (id sessionID) hash() string { return labelled(idLabel, id[:]) }

// labelled hashes data for one use, as a key segment of 52 characters.
func labelled(label string, data []byte) string {
	sum := digest(label, data)
	return keyEncoding.EncodeToString(sum[:])
}

// digest hashes data for one use.
func digest(label string, data []byte) (sum [sha256.Size]byte) {
	h := sha256.New()
	h.Write([]byte(label))
	h.Write([]byte{0})
	h.Write(data)
	h.Sum(sum[:0])
	return sum
}

// Token is what a genuine cookie value says. Only [Manager.Verify] makes one
// that is of use.
type Token struct {
	// Revision is that of the session's record when the cookie was made: a
	// copy of the record that is older must not be used.
	Revision kv.Revision

	id      sessionID
	oldKey  bool
	genuine bool
}

// ID is the session's public name: a hash of the secret id, the same as
// [Session.ID].
func (t Token) ID() string {
	if !t.genuine {
		return ""
	}
	return t.id.hash()
}

// signer makes and checks the values of one cookie.
type signer struct {
	name string
	keys [][]byte
	// hashes are prepared with the keys; to prepare one costs more than to use
	// it. A signer may do without.
	hashes []*sync.Pool
}

// newSigner derives the keys of one cookie from the secrets.
func newSigner(name string, secrets [][]byte) signer {
	s := signer{name: name}
	for _, secret := range secrets {
		key := mac(secret, []byte(signLabel))
		s.keys = append(s.keys, key)
		s.hashes = append(s.hashes, &sync.Pool{New: func() any { return hmac.New(sha256.New, key) }})
	}
	return s
}

// mac is HMAC-SHA256 over the parts one after the other.
func mac(key []byte, parts ...[]byte) []byte {
	h := hmac.New(sha256.New, key)
	for _, p := range parts {
		h.Write(p)
	}
	return h.Sum(nil)
}

// signature covers the cookie's name too, so that a value made for one cookie
// is worth nothing in another: not the plain one's in the __Host- one, not a
// visitor's in a signed-in person's.
func (s signer) signature(key int, body []byte) []byte {
	if s.hashes == nil {
		return mac(s.keys[key], []byte(s.name), []byte{0}, body)
	}
	h := s.hashes[key].Get().(hash.Hash)
	defer s.hashes[key].Put(h)
	h.Reset()
	_, _ = io.WriteString(h, s.name) // a hash takes everything
	h.Write([]byte{0})
	h.Write(body)
	return h.Sum(nil)
}

// seal signs body, which it may change beyond its end, and makes it a cookie
// value.
func (s signer) seal(body []byte) string {
	return tokenEncoding.EncodeToString(append(body, s.signature(0, body)...))
}

// open checks a value that anybody may have written and gives its body of
// size bytes, and whether an old key signed it. It looks at the length before
// all else, so an oversized value costs nothing.
func (s signer) open(value string, size int) (body []byte, oldKey bool, err error) {
	if len(value) != tokenEncoding.EncodedLen(size+sha256.Size) {
		return nil, false, errMalformed
	}
	// The decoder skips line breaks, hence the check of its length.
	b, err := tokenEncoding.DecodeString(value)
	if err != nil || len(b) != size+sha256.Size || b[0] != tokenVersion {
		return nil, false, errMalformed
	}
	body, sum := b[:size:size], b[size:]
	for i := range s.keys {
		if hmac.Equal(sum, s.signature(i, body)) {
			return body, i > 0, nil
		}
	}
	return nil, false, errForged
}

// sign makes the cookie value for an id and the revision of its record.
func (s signer) sign(id sessionID, rev kv.Revision) string {
	b := make([]byte, 0, tokenSize)
	b = append(b, tokenVersion)
	b = append(b, id[:]...)
	return s.seal(binary.BigEndian.AppendUint64(b, uint64(rev)))
}

// parse reads the cookie value of a session.
func (s signer) parse(value string) (Token, error) {
	body, oldKey, err := s.open(value, bodySize)
	if err != nil {
		return Token{}, err
	}
	t := Token{genuine: true, oldKey: oldKey}
	copy(t.id[:], body[1:])
	t.Revision = kv.Revision(binary.BigEndian.Uint64(body[1+idSize:]))
	return t, nil
}

// tag names a session in the log. It is salted, so that whoever reads the log
// cannot find the record, nor the other way round.
func (m *Manager) tag(id string) string {
	return hex.EncodeToString(mac(m.salt, []byte(id))[:8])
}
