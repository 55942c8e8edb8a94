package session

import (
	"errors"

	"github.com/lectern-lms/lectern/kv"
)

// ErrTooLarge says that a value would take the session over a limit: 64
// values, 8 KiB of names and values together, names of 1 to 128 bytes, user
// ids of 1 to 256 bytes. Store large things as records and keep their key here.
var ErrTooLarge = errors.New("session: over a limit")

// change makes a new value of an old one; ok says whether there is one.
type change func(old string, ok bool) (value string, keep bool)

// Session is one visitor's state during one request. It is used by one
// goroutine. Changes are buffered until [Manager.Save].
type Session struct {
	// id, rev and rec are those of the record in the store, if stored.
	stored bool
	id     sessionID
	rev    kv.Revision
	rec    record
	// client tells what this request says of itself; nil if From was not called.
	client func() Client

	// changes holds what this request does to values, by name.
	changes map[string]change
	// signIn and signOut say which was asked for last; user and generation
	// are the new user's.
	signIn, signOut bool
	user            string
	generation      uint64
	// forget hides the stored values: they belong to somebody who has gone.
	forget bool
	// quiet leaves the browser's cookie alone when the session is ended.
	quiet bool
	// resign says that the browser's cookie is valid but needs a new one.
	resign bool
	// lost says that the store could not tell an anonymous visitor's values.
	lost error

	// remember is the cookie of a remembered device as the browser sent it,
	// presented the genuine token in it, once it was looked at, and resume what
	// is to become of it; nil if none.
	remember  string
	presented *rememberToken
	resume    *resumption
	// reissue is the token that another request has made of the same one.
	reissue *rememberToken
	// wish asks to remember this device, with the notice in case of theft.
	wish *string
	// warned says that a warning of the user was read and is to be removed.
	warned bool
}

// Exists reports whether the store held the session at Load or the last Save.
func (s *Session) Exists() bool { return s.stored }

// ID is the session's public name, or "" if it is not stored. It is a hash of
// the secret id: it opens nothing.
func (s *Session) ID() string {
	if !s.stored {
		return ""
	}
	return s.id.hash()
}

// Device is the public name of the device that uses the session, as
// [Manager.List] gives it: that of the remembered device if it is one, else
// the session's own; "" if the session is not stored.
func (s *Session) Device() string {
	switch {
	case s.resume != nil:
		return s.presented.device()
	case s.stored && s.rec.device != "":
		return s.rec.device
	}
	return s.ID()
}

// Remembered reports whether the device signs in by itself when the session
// has ended.
func (s *Session) Remembered() bool {
	return s.resume != nil || s.stored && s.rec.device != ""
}

// User is the id of the signed-in user, "" if anonymous. It follows SignIn
// and SignOut at once.
func (s *Session) User() string {
	if s.signIn || s.signOut {
		return s.user
	}
	return s.rec.user
}

// Generation is what SignIn was told of the user's account, 0 if anonymous.
// Compare it with the account's: if they differ, call Drop.
func (s *Session) Generation() uint64 {
	if s.signIn || s.signOut {
		return s.generation
	}
	return s.rec.generation
}

// From says what the request comes from. It is asked for at sign-in and
// whenever the record is written, so seldom.
func (s *Session) From(c func() Client) { s.client = c }

// from is what the request comes from, as a record takes it.
func (s *Session) from() Client {
	if s.client == nil {
		return Client{}
	}
	return s.client().cut()
}

// SignIn makes the session that of a user, by the id under which the
// application knows them and the generation of their account: a number that
// the application raises to end all of the user's sessions at once. Save then
// writes it under a new secret id and destroys the old record in the same
// commit, so an id that somebody planted or saw before is worth nothing
// (session fixation). The values of an anonymous session are kept, since the
// visitor chose them (a language, the page to return to); those of another
// user's session are not. The device is no longer remembered unless Remember
// asks for it anew.
func (s *Session) SignIn(user string, generation uint64) {
	if s.rec.user != "" && s.rec.user != user {
		s.forgetValues()
	}
	s.signIn, s.signOut, s.user, s.generation = true, false, user, generation
	s.resume, s.wish = nil, nil
}

// SignOut ends the session, and the device is no longer remembered: Save
// destroys the records and clears the cookies. Every value is gone at once.
// What is set after it (say, a farewell message) goes into a new anonymous
// session.
func (s *Session) SignOut() {
	s.forgetValues()
	s.changes = nil
	s.signIn, s.signOut, s.user, s.generation = false, true, "", 0
	s.resume, s.wish, s.quiet = nil, nil, false
}

// Drop ends a session that has been found to be of no worth, such as one whose
// user is gone or whose Generation is not the account's. It is SignOut but for
// the browser's cookies, which may by now be those of a newer session, and for
// a visitor's session that a remembered device would have taken up: it stays.
func (s *Session) Drop() {
	if s.resume != nil {
		s.signIn, s.user, s.generation, s.resume, s.presented = false, "", 0, nil, nil
		return
	}
	s.SignOut()
	s.quiet = true
}
