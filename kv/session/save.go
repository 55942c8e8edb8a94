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

// Save writes what the request changed and returns the cookies to set, none
// if the browser's are still right. Changes are made on the newest record: if
// another request wrote meanwhile, each of this one's names is set or deleted
// on top of that, so no request loses another's change. Without changes it
// writes only to refresh the idle time, now and then, and to take up a
// remembered device. When it returns from the end of a session, or from a
// change of its id, no process takes the old one for valid any more.
//
// It returns [ErrEnded] if the session has ended meanwhile, [ErrTooLarge] if
// the changes do not fit, and otherwise an error that wraps
// [kv.ErrUnavailable], after which the changes may or may not be stored; in
// all three cases there is no cookie to set.
func (m *Manager) Save(ctx context.Context, s *Session) ([]*http.Cookie, error) {
	if s.presented == nil && (s.signIn || s.signOut) {
		s.presented = m.parseRemember(ctx, s.remember)
	}
	switch {
	case s.signIn && (s.user == "" || len(s.user) > maxUser):
		return nil, fmt.Errorf("%w: the user id has %d bytes, 1 to %d are allowed", ErrTooLarge, len(s.user), maxUser)
	case s.lost != nil && (s.signIn || s.signOut || len(s.changes) > 0):
		return nil, s.lost
	case s.signOut && len(s.changes) == 0:
		return m.destroy(ctx, s)
	case s.signIn, s.signOut, !s.stored && len(s.changes) > 0:
		return m.replace(ctx, s)
	case len(s.changes) > 0:
		return m.update(ctx, s)
	case s.stored:
		return m.keep(ctx, s), nil
	}
	return nil, nil
}

// keep refreshes the idle time if it is due, and the cookie if it was signed
// with an old key. Nothing depends on the refresh: if another request won the
// race, or the store cannot be reached, the session is what it was.
func (m *Manager) keep(ctx context.Context, s *Session) []*http.Cookie {
	now := time.Now()
	ahead := s.rec.seen.Sub(now) > skew
	if ahead {
		m.log(ctx, slog.LevelWarn, "a session was last seen in the future: the clocks of the nodes differ", s.ID(),
			slog.Duration("by", s.rec.seen.Sub(now)))
	}
	due := ahead || now.Sub(s.rec.seen) >= max(minTouch, m.cfg.Idle/touchParts)
	if due && now.Before(m.end(s.rec)) {
		next := s.rec
		m.stamp(&next, now)
		m.note(ctx, s, &next)
		rev, err := m.put(ctx, s, next)
		if err == nil {
			s.rec, s.rev = next, rev
		} else if !errors.Is(err, kv.ErrConflict) {
			m.log(ctx, slog.LevelWarn, "session idle time not refreshed", s.ID(), slog.Any("error", err))
		}
	}
	if !s.resign {
		return nil
	}
	s.resign = false
	return m.cookies(s)
}

// note keeps what the request comes from, and logs a session that changes
// its browser or system: that may be an update, or somebody else.
func (m *Manager) note(ctx context.Context, s *Session, next *record) {
	old, now := next.client, s.from()
	if now == (Client{}) {
		return
	}
	if old != (Client{}) && (old.Browser != now.Browser || old.System != now.System) {
		m.log(ctx, slog.LevelWarn, "a session is used by another browser or system than before", s.ID())
	}
	next.client = now
}

// update writes changed values under the same id.
func (m *Manager) update(ctx context.Context, s *Session) ([]*http.Cookie, error) {
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
		m.note(ctx, s, &next)
		rev, err := m.put(ctx, s, next)
		if err == nil {
			return m.became(s, s.id, rev, next), nil
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

// became makes s the stored session that a commit has written, and gives the
// cookies that open it.
func (m *Manager) became(s *Session, id sessionID, rev kv.Revision, rec record) []*http.Cookie {
	*s = Session{
		stored: true, id: id, rev: rev, rec: rec, client: s.client,
		remember: s.remember, presented: s.presented, reissue: s.reissue,
	}
	return m.cookies(s)
}

// cookies are those that open a stored session and, if another request has
// just renewed it, the remembered device.
func (m *Manager) cookies(s *Session) []*http.Cookie {
	list := []*http.Cookie{m.sessionCookie(s.id, s.rev, s.rec.user)}
	if s.reissue != nil {
		list = append(list, m.rememberCookie(s.reissue))
		s.presented, s.reissue = s.reissue, nil
	}
	return list
}

// reread waits a moment after a conflict, longer with each try, and takes the
// newest record as the base of this request's changes; errGone if it ended.
func (m *Manager) reread(ctx context.Context, s *Session, try int) error {
	if err := pause(ctx, try); err != nil {
		return err
	}
	rec, rev, err := m.read(kv.AtLeast(ctx, s.rev+1), s.id)
	if err == nil {
		s.rec, s.rev = rec, rev
	}
	return err
}

// pause waits a random moment after a conflict, longer with each try.
func pause(ctx context.Context, try int) error {
	limit := min(maxPause, 100*time.Microsecond<<min(try, 10))
	select {
	case <-ctx.Done():
		return storeFault("write", ctx.Err())
	case <-time.After(rand.N(limit)):
		return nil
	}
}
