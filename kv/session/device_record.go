package session

import (
	"crypto/sha256"
	"crypto/subtle"
	"time"
)

// rememberRecord is what the store holds of a remembered device.
type rememberRecord struct {
	user       string
	generation uint64
	// created is when the user signed in with a password, seen when the token
	// was used last, expires when the device is forgotten.
	created, seen, expires time.Time
	client                 Client
	// notice is for the user to read if the token is stolen.
	notice string
	// current is the hash of the verifier that is valid, previous of the one
	// before it; zero if there was none.
	current, previous [sha256.Size]byte
}

// rotated is the record after the present token was used.
func (r rememberRecord) rotated(next *rememberToken, now time.Time, from Client) rememberRecord {
	r.previous, r.current, r.seen = r.current, next.digest(), now
	if from != (Client{}) {
		r.client = from
	}
	return r
}

// encode writes the record: version, three times, generation, user, client,
// notice, and the two hashes.
func (r rememberRecord) encode() []byte {
	b := appendTimes([]byte{rememberVersion}, r.created, r.seen, r.expires)
	b = appendNumber(b, r.generation)
	b = appendText(b, r.user, r.client.Browser, r.client.System, r.client.Place, r.notice)
	return append(append(b, r.current[:]...), r.previous[:]...)
}

// decodeRememberRecord reads what encode wrote and refuses everything else.
func decodeRememberRecord(b []byte) (rememberRecord, error) {
	if len(b) == 0 || len(b) > maxRecord || b[0] != rememberVersion {
		return rememberRecord{}, errRecord
	}
	d := decoder{rest: b[1:]}
	r := rememberRecord{created: d.time(), seen: d.time(), expires: d.time(), generation: d.number(), user: d.text(maxUser)}
	r.client, r.notice = d.client(), d.text(maxNotice)
	copy(r.current[:], d.take(sha256.Size))
	copy(r.previous[:], d.take(sha256.Size))
	if d.bad || len(d.rest) > 0 || r.user == "" {
		return rememberRecord{}, errRecord
	}
	return r, nil
}

// same compares two hashes in constant time.
func same(a, b [sha256.Size]byte) bool { return subtle.ConstantTimeCompare(a[:], b[:]) == 1 }
