// Package session keeps visitors' sessions in any [kv.Store], behind a signed
// cookie. It needs nothing else of Lectern.
//
//	m, err := session.NewManager(store, session.Config{Keys: [][]byte{key}})
//	...
//	s, err := m.Load(ctx, m.Cookies(r)) // err: the store is away, answer 503
//	err = s.Set("lang", "es")
//	cookies, err := m.Save(ctx, s) // set them
//
// # The cookies
//
// A signed-in person's session is in "session", a visitor's in "visitor", and
// what signs a remembered device in again in "remember"; each begins with
// "__Host-" when secure. The kinds are kept apart so that a slow answer to a
// tab that was anonymous cannot take the place of the cookie with which
// another tab has signed in. What remains of that race is between two answers
// to a signed-in person of which one renewed the id (a password change): if
// the older arrives last, the browser holds a session that has ended, and the
// person signs in again, or is remembered. It never gains anything.
//
// The first two are always 98 characters of base64url without padding, in one
// spelling, for 73 bytes:
//
//	 1  version, 1
//	32  id, random
//	 8  revision of the record, big-endian
//	32  HMAC-SHA256 of the cookie's name, a zero byte and the bytes above
//
// The HMAC key is HMAC-SHA256(secret, "lectern session cookie v1"), so that the
// same secret may serve other uses. The first key signs, all verify; a cookie
// that an older key signed is replaced at the next Save. There is no key id:
// nothing in the cookie can choose how it is checked. The revision is what a
// cache over the store must at least have seen ([kv.AtLeast]).
//
// # The records
//
// A session lies under "s/" and a hash of the id, so that whoever reads the
// store cannot make a cookie. Under "u/", a hash of the user and the hash of the
// id is an index entry per signed-in session; it may outlive its record and
// proves nothing. A record of another version, or a damaged one, is no
// session; it is left in place and a warning is logged, so a roll-back of the
// program loses nothing.
//
// # Lifetimes
//
// A session ends when it has been idle for [Config.Idle] or has existed for
// [Config.Absolute] since it began or was last signed in to, both 24 hours
// unless set. Each Load checks both by the record, the times to live in the
// store only clean up, two minutes later. The idle time is written at most
// every tenth of it and at most once a minute. A node whose clock is behind
// takes a session from its future for one that was seen now, says so in the
// log, and writes it anew; so a clock that was ahead for a while does not make
// sessions that last.
//
// A user may have [Config.Limit] devices at once, 20 unless set. A sign-in
// beyond that is not refused: the devices that have been unused for longest
// are signed out. Sign-ins at the same moment may exceed it until the next.
//
// # Changes
//
// Nothing is stored until something is set or somebody signs in. Each write is
// a compare-and-swap on the record; after a conflict the request's own changes
// are made again on the newest record, name by name; [Session.Update] makes one
// of the old value again. So two tabs never lose each other's changes, and a request that is slower than a sign-out cannot
// bring the session back: Save returns [ErrEnded] and no cookie. It does not
// clear the cookie either, since after a sign-in in another tab the browser
// holds a newer one. For the same reason Load never clears the cookie of a
// dead session; only SignOut does.
//
// # Ends
//
// SignOut, a sign-in anew, Revoke and RevokeUser return when the end is stored
// and, if the store is a [kv.Fencer], when no process that caches it takes the
// session for valid any more. If that cannot be said they return an error: the
// session has ended in the store all the same.
//
// Each session carries the Generation of its user's account. An application
// raises that in the same commit as a new password or another role and calls
// Drop on sessions of another one; so they have ended even if the process dies
// before RevokeUser has cleaned up.
//
// # Remembered devices
//
// [Session.Remember] gives the device a token that signs it in again when its
// session has ended: a selector, which names the device, and a verifier, of
// which the store holds a hash. A token is good for one use. What it turns
// into, and the id of the session that it opens, are derived from it with a
// key of the server, so all tabs of a browser that wakes up are given the same
// session and the same next token, whichever of their commits came first. For
// a minute after that, and while the next token is unused, the old one gets
// the same again: the answer may have been lost. After that a token that comes
// a second time was copied. Then all remembered devices of the user end with
// the sessions that they opened, and a notice waits for the user
// ([Manager.Warning]). Only a commit that checks the record decides on theft, so
// a cache that lags behind never does.
//
// # Requirements
//
// README.md beside this file lists the requirements that sessions are held to
// and the test of each.
package session
