package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// ErrEnded says that the session was signed out, revoked or expired while the
// request ran, so its changes were not kept. There is no cookie to set: the
// browser may by now hold that of a newer session, which must stay. Answer as
// to somebody who is not signed in.
var ErrEnded = errors.New("session: ended while the request ran")

// Conflicts of one Save. Of n requests that change one session at the same
// moment one gets through per round, so the limit allows some hundreds.
const (
	maxTries = 1000
	// maxPause bounds the random wait between two tries.
	maxPause = 20 * time.Millisecond
)

// Save writes what the request changed and returns the cookie to set, or nil
// if the browser's is still right. Changes are made on the newest record: if
// another request wrote meanwhile, each of this one's names is set or deleted
// on top of that, so no request loses another's change. Without changes it
// writes only to refresh the idle time, now and then.
//
// It returns [ErrEnded] if the session has ended meanwhile, [ErrTooLarge] if
// the changes do not fit, and otherwise an error that wraps
// [kv.ErrUnavailable], after which the changes may or may not be stored; in
// all three cases there is no cookie to set.
func (m *Manager) Save(ctx context.Context, s *Session) (*http.Cookie, error) {
	switch {
	case s.signIn && (s.user == "" || len(s.user) > maxUser):
		return nil, fmt.Errorf("%w: the user id has %d bytes, 1 to %d are allowed", ErrTooLarge, len(s.user), maxUser)
	case s.signOut && len(s.changes) == 0:
		return m.destroy(ctx, s)
	case s.signIn, s.signOut, !s.stored && len(s.changes) > 0:
		return m.replace(ctx, s)
	case len(s.changes) > 0:
		return m.update(ctx, s)
	case s.stored:
		return m.keep(ctx, s)
	}
	return nil, nil
}

// keep refreshes the idle time if it is due, and the cookie if it was signed
// with an old key. Nothing depends on the refresh: if another request won the
// race, or the store cannot be reached, the session is what it was.
func (m *Manager) keep(ctx context.Context, s *Session) (*http.Cookie, error) {
	now := time.Now()
	due := now.Sub(s.rec.seen) >= max(minTouch, m.cfg.Idle/touchParts)
	if due && now.Before(m.end(s.rec)) {
		next := s.rec
		m.stamp(&next, now)
		rev, err := m.put(ctx, s, next)
		if err == nil {
			s.rec, s.rev = next, rev
		} else if !errors.Is(err, kv.ErrConflict) {
			m.log(ctx, slog.LevelWarn, "session idle time not refreshed", s.ID(), slog.Any("error", err))
		}
	}
	if !s.resign {
		return nil, nil
	}
	s.resign = false
	return m.cookie(s.id, s.rev), nil
}

// update writes changed values under the same id.
func (m *Manager) update(ctx context.Context, s *Session) (*http.Cookie, error) {
	for try := range maxTries {
		now := time.Now()
		if !now.Before(m.end(s.rec)) {
			return nil, ErrEnded
		}
		next := s.rec
		next.values = s.merged()
		if err := checkValues(next.values); err != nil {
			return nil, err
		}
		m.stamp(&next, now)
		rev, err := m.put(ctx, s, next)
		if err == nil {
			*s = Session{stored: true, id: s.id, rev: rev, rec: next}
			return m.cookie(s.id, rev), nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return nil, storeFault("write", err)
		}
		if err := m.reread(ctx, s, try); errors.Is(err, errGone) {
			return nil, ErrEnded
		} else if err != nil {
			return nil, err
		}
	}
	return nil, storeFault("write", errors.New("the session changes too fast"))
}

// put writes a record in place of the one that the session was read from, if
// that is still the newest.
func (m *Manager) put(ctx context.Context, s *Session, next record) (kv.Revision, error) {
	key := recordKey(s.id.hash())
	return m.store.Commit(ctx,
		[]kv.Check{kv.Unchanged(key, s.rev)},
		[]kv.Write{kv.PutTTL(key, next.encode(), time.Until(next.expires)+grace)})
}

// replace writes a new record under a new id, and destroys the old one, if
// any, in the same commit. If the old one ended meanwhile, its values are not
// carried over, but a sign-in still holds: it is a session of its own.
func (m *Manager) replace(ctx context.Context, s *Session) (*http.Cookie, error) {
	id := newID()
	for try := range maxTries {
		now := time.Now()
		next := record{user: s.user, created: now, values: s.merged()}
		if err := checkValues(next.values); err != nil {
			return nil, err
		}
		m.stamp(&next, now)
		checks, writes := m.replacement(s, id, next)
		rev, err := m.store.Commit(ctx, checks, writes)
		if err == nil {
			m.logReplaced(ctx, s, id)
			*s = Session{stored: true, id: id, rev: rev, rec: next}
			return m.cookie(id, rev), nil
		}
		if !errors.Is(err, kv.ErrConflict) {
			return nil, storeFault("write", err)
		}
		if err := m.reread(ctx, s, try); errors.Is(err, errGone) {
			s.stored, s.rec = false, record{}
			s.forgetValues()
		} else if err != nil {
			return nil, err
		}
	}
	return nil, storeFault("write", errors.New("the session changes too fast"))
}

// replacement is the commit of replace. The new keys need no check, as nobody
// else can have drawn the same id, and then a commit that was sent twice does
// no harm. The index entry lives as long as the session can, so that refreshing
// a session stays one write.
func (m *Manager) replacement(s *Session, id sessionID, next record) ([]kv.Check, []kv.Write) {
	var checks []kv.Check
	if s.stored && !s.forget {
		checks = append(checks, kv.Unchanged(recordKey(s.id.hash()), s.rev))
	}
	hash, writes := id.hash(), s.removal()
	if next.user != "" {
		writes = append(writes, kv.PutTTL(userPrefix(next.user)+hash, []byte{recordVersion}, m.cfg.Absolute+grace))
	}
	// The record comes last, since Commit tells the revision of the last write.
	writes = append(writes, kv.PutTTL(recordKey(hash), next.encode(), next.expires.Sub(next.seen)+grace))
	return checks, writes
}

// removal is the writes that destroy the stored record, none if there is none.
// They carry no check: an end holds whatever else happens.
func (s *Session) removal() []kv.Write {
	if !s.stored {
		return nil
	}
	writes := []kv.Write{kv.Delete(recordKey(s.id.hash()))}
	if s.rec.user != "" {
		writes = append(writes, kv.Delete(userPrefix(s.rec.user)+s.id.hash()))
	}
	return writes
}

// destroy carries out SignOut. The cookie is cleared only after the store has
// acknowledged the end: a person who reads "signed out" is.
func (m *Manager) destroy(ctx context.Context, s *Session) (*http.Cookie, error) {
	if writes := s.removal(); len(writes) > 0 {
		if _, err := m.store.Commit(ctx, nil, writes); err != nil {
			return nil, storeFault("sign out", err)
		}
		m.log(ctx, slog.LevelInfo, "session signed out", s.ID())
	}
	*s = Session{}
	return m.clearCookie(), nil
}

// reread waits a moment after a conflict, longer with each try, and takes the
// newest record as the base of this request's changes; errGone if it ended.
func (m *Manager) reread(ctx context.Context, s *Session, try int) error {
	limit := min(maxPause, 100*time.Microsecond<<min(try, 10))
	select {
	case <-ctx.Done():
		return storeFault("write", ctx.Err())
	case <-time.After(rand.N(limit)):
	}
	rec, rev, err := m.read(ctx, s.id)
	if err == nil {
		s.rec, s.rev = rec, rev
	}
	return err
}

// logReplaced notes what replace did, before it forgets the old state.
func (m *Manager) logReplaced(ctx context.Context, s *Session, id sessionID) {
	var attrs []slog.Attr
	if s.stored {
		attrs = append(attrs, slog.String("replaces", m.sign.tag(s.ID())))
	}
	event := "session created"
	if s.signIn {
		event = "session signed in"
	}
	m.log(ctx, slog.LevelInfo, event, id.hash(), attrs...)
}
