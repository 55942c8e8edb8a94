package session

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// warningAge is how long a warning waits for its user to sign in.
const warningAge = 180 * 24 * time.Hour

// resumption is a remembered device whose token is about to be used: Save
// writes the session and the token that follow from it in one commit.
type resumption struct {
	rec   rememberRecord
	rev   kv.Revision
	id    sessionID
	token *rememberToken
}

// parseRemember reads the cookie of a remembered device; nil if there is none
// or it is not genuine.
func (m *Manager) parseRemember(ctx context.Context, value string) *rememberToken {
	if value == "" {
		return nil
	}
	body, _, err := m.remember.open(value, rememberBodySize)
	if err != nil {
		m.log(ctx, slog.LevelInfo, "cookie of a remembered device refused", "", slog.String("reason", err.Error()))
		return nil
	}
	return decodeRemember(body)
}

// takeUp signs s in if the browser presented the token of a remembered
// device. The session begins with Save.
func (m *Manager) takeUp(ctx context.Context, s *Session) error {
	if s.presented == nil || m.cfg.Remember == 0 {
		return nil
	}
	for try := range maxTries {
		stale, err := m.present(ctx, s)
		if !errors.Is(err, kv.ErrConflict) {
			return err
		}
		ctx = kv.AtLeast(ctx, stale+1)
		if err := pause(ctx, try); err != nil {
			return err
		}
	}
	return storeFault("use a remembered device", errors.New("it changes too fast"))
}

// present looks at what the store holds of the presented token and decides:
// valid, used a moment ago by another tab, or stolen. A conflict says that the
// record, as of the revision that it returns, was not the newest, so that
// nothing was decided.
func (m *Manager) present(ctx context.Context, s *Session) (kv.Revision, error) {
	t := s.presented
	rec, rev, err := m.readDevice(ctx, t)
	if errors.Is(err, errGone) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	now := time.Now()
	switch sum := t.digest(); {
	case same(sum, rec.current):
		token, id := t.successor(m.next[0], rec.expires)
		s.resume = &resumption{rec: rec, rev: rev, id: id, token: token}
		s.signIn, s.user, s.generation = true, rec.user, rec.generation
		return rev, nil
	case same(sum, rec.previous) && now.Before(rec.seen.Add(rotationGrace)):
		return rev, m.join(ctx, s, rec, rev)
	}
	return rev, m.stolen(ctx, t, rec, rev)
}

// readDevice is the record of a presented token, or errGone.
func (m *Manager) readDevice(ctx context.Context, t *rememberToken) (rememberRecord, kv.Revision, error) {
	e, err := m.store.Get(ctx, t.key())
	if errors.Is(err, kv.ErrNotFound) {
		m.log(ctx, slog.LevelInfo, "remembered device refused", t.device(), slog.String("reason", "unknown, ended or expired"))
		return rememberRecord{}, 0, errGone
	}
	if err != nil {
		return rememberRecord{}, 0, storeFault("read", err)
	}
	rec, err := decodeRememberRecord(e.Value)
	if err == nil && digest(userLabel, []byte(rec.user)) != t.user {
		err = errRecord
	}
	if err != nil {
		m.log(ctx, slog.LevelWarn, "remembered device refused", t.device(), slog.String("reason", err.Error()))
		return rememberRecord{}, 0, errGone
	}
	if now := time.Now(); !now.Before(m.deviceEnd(rec)) {
		m.log(ctx, slog.LevelInfo, "remembered device refused", t.device(), slog.String("reason", "expired"))
		return rememberRecord{}, 0, errGone
	}
	return rec, e.Revision, nil
}

// deviceEnd is when a device is forgotten, by its record and by the present
// settings.
func (m *Manager) deviceEnd(r rememberRecord) time.Time {
	if end := r.created.Add(m.cfg.Remember); end.Before(r.expires) {
		return end
	}
	return r.expires
}

// join makes s the session that another tab has begun with the same token. If
// that has ended, so has this one.
func (m *Manager) join(ctx context.Context, s *Session, rec rememberRecord, rev kv.Revision) error {
	for _, key := range m.next {
		token, id := s.presented.successor(key, rec.expires)
		if !same(token.digest(), rec.current) {
			continue
		}
		found, at, err := m.read(kv.AtLeast(ctx, rev), id)
		if errors.Is(err, errGone) {
			return nil
		}
		if err != nil {
			return err
		}
		*s = Session{
			stored: true, id: id, rev: at, rec: found, resign: true, changes: s.changes, client: s.client,
			presented: s.presented, reissue: token,
		}
		return nil
	}
	return nil // The key was changed within the last minute.
}

// retake looks again at a remembered device after a conflict. It reports true
// if another tab was first and s is now the session that it began.
func (m *Manager) retake(ctx context.Context, s *Session, try int) (joined bool, err error) {
	if s.resume == nil {
		return false, nil
	}
	if err := pause(ctx, try); err != nil {
		return false, err
	}
	before := s.resume
	s.resume = nil
	if err := m.takeUp(kv.AtLeast(ctx, before.rev+1), s); err != nil {
		return false, err
	}
	switch {
	case s.resume != nil: // Still valid: something else had changed.
		return false, nil
	case s.reissue != nil:
		return true, nil
	}
	s.resume = before
	return false, ErrEnded
}
