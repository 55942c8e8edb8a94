package session

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// replacement is a new record on its way into the store, under a new id, with
// the remembered device that belongs to it.
type replacement struct {
	id   sessionID
	next record
	// device is written along with the record, under token; nil if none.
	device *rememberRecord
	token  *rememberToken
}

// replace writes a new record under a new id, and destroys the old one, if
// any, in the same commit. If the old one ended meanwhile, its values are not
// carried over, but a sign-in still holds: it is a session of its own.
func (m *Manager) replace(ctx context.Context, s *Session) ([]*http.Cookie, error) {
	r := m.newReplacement(s)
	for try := range maxTries {
		if err := m.prepare(s, r); err != nil {
			return nil, err
		}
		checks, writes := m.replacing(s, r)
		rev, err := m.store.Commit(ctx, checks, writes)
		if err == nil {
			return m.replaced(ctx, s, r, rev)
		}
		if !errors.Is(err, kv.ErrConflict) {
			return nil, storeFault("write", err)
		}
		if joined, err := m.retake(ctx, s, try); err != nil {
			return nil, err
		} else if joined {
			return m.Save(ctx, s)
		}
		if !s.stored || s.forget {
			continue
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

// newReplacement draws the new id and, if wished for, a new device.
func (m *Manager) newReplacement(s *Session) *replacement {
	r := &replacement{id: newID()}
	switch {
	case s.resume != nil:
		r.id, r.token = s.resume.id, s.resume.token
	case s.signIn && s.wish != nil && m.cfg.Remember > 0:
		r.token = newRememberToken(s.user, time.Now().Add(m.cfg.Remember))
	}
	return r
}

// prepare makes the new records from what the session is by now.
func (m *Manager) prepare(s *Session, r *replacement) error {
	now := time.Now()
	r.next = record{user: s.user, generation: s.generation, created: now, client: s.from(), values: s.merged()}
	if err := checkValues(r.next.values); err != nil {
		return err
	}
	m.stamp(&r.next, now)
	if r.token == nil {
		return nil
	}
	r.next.device = r.token.device()
	if s.resume != nil {
		rec := s.resume.rec.rotated(r.token, now, r.next.client)
		r.device = &rec
		return nil
	}
	r.device = &rememberRecord{
		user: s.user, generation: s.generation, created: now, seen: now, expires: r.token.expires,
		client: r.next.client, notice: *s.wish, current: r.token.digest(),
	}
	return nil
}

// replacing is the commit of replace. The new keys need no check, as nobody
// else can have drawn the same id, and then a commit that was sent twice does
// no harm; what a remembered device becomes is the same for all requests that
// present the same token, so there the device's own record is checked. The
// index entry lives as long as the session can, so that refreshing a session
// stays one write.
func (m *Manager) replacing(s *Session, r *replacement) ([]kv.Check, []kv.Write) {
	var checks []kv.Check
	if s.stored && !s.forget {
		checks = append(checks, kv.Unchanged(recordKey(s.id.hash()), s.rev))
	}
	if s.resume != nil {
		checks = append(checks, kv.Unchanged(s.presented.key(), s.resume.rev))
	}
	hash, writes := r.id.hash(), s.removal()
	if s.warned {
		writes = append(writes, kv.Delete(warningKey(s.user)))
	}
	if r.device != nil {
		writes = append(writes, kv.PutTTL(r.token.key(), r.device.encode(), time.Until(r.device.expires)+grace))
	}
	if r.next.user != "" {
		writes = append(writes, kv.PutTTL(userPrefix(r.next.user)+hash, indexEntry(r.next.device), m.cfg.Absolute+grace))
	}
	// The record comes last, since Commit tells the revision of the last write.
	writes = append(writes, kv.PutTTL(recordKey(hash), r.next.encode(), r.next.expires.Sub(r.next.seen)+grace))
	return checks, writes
}

// removal is the writes that destroy the stored record and, unless the session
// is taken up by it, the remembered device of this browser. They carry no check:
// an end holds whatever else happens.
func (s *Session) removal() []kv.Write {
	var writes []kv.Write
	if s.stored {
		writes = append(writes, kv.Delete(recordKey(s.id.hash())))
		if s.rec.user != "" {
			writes = append(writes, kv.Delete(userPrefix(s.rec.user)+s.id.hash()))
		}
	}
	for _, key := range s.devices() {
		writes = append(writes, kv.Delete(key))
	}
	return writes
}

// devices are the store's keys of what this browser is remembered by, unless
// the session is taken up by it.
func (s *Session) devices() []string {
	var keys []string
	if s.resume != nil {
		return nil
	}
	if s.stored && s.rec.device != "" {
		keys = append(keys, devicePrefix(userHash(s.rec.user))+s.rec.device)
	}
	if s.presented != nil && !s.quiet && !slices.Contains(keys, s.presented.key()) {
		keys = append(keys, s.presented.key())
	}
	return keys
}

// forgetDevices ends the sessions that these devices have left behind.
func (m *Manager) forgetDevices(ctx context.Context, s *Session) error {
	for _, key := range s.devices() {
		hash, device, _ := strings.Cut(strings.TrimPrefix(key, "r/"), "/")
		if err := m.forget(ctx, hash, device); err != nil {
			return err
		}
	}
	return nil
}

// replaced makes s what replace has written and gives its cookies. A person's
// old session is fenced off before they are told that it has ended.
func (m *Manager) replaced(ctx context.Context, s *Session, r *replacement, rev kv.Revision) ([]*http.Cookie, error) {
	m.logReplaced(ctx, s, r)
	old := *s
	list := m.became(s, r.id, rev, r.next)
	s.presented = r.token
	if old.stored && old.rec.user == "" && r.next.user != "" {
		list = append(list, m.clear(m.visitor))
	}
	switch {
	case r.token != nil:
		list = append(list, m.rememberCookie(r.token))
	case old.presented != nil && !old.quiet:
		list = append(list, m.clear(m.remember))
	}
	if old.signOut && !old.quiet {
		list = append(list, m.clear(m.session))
	}
	if old.stored && old.rec.user != "" {
		if err := m.fence(ctx, rev); err != nil {
			return nil, err
		}
	}
	if err := m.forgetDevices(ctx, &old); err != nil {
		return nil, err
	}
	if r.next.user != "" {
		m.trim(ctx, r.next.user, s)
	}
	return list, nil
}

// logReplaced notes what replace did, before it forgets the old state.
func (m *Manager) logReplaced(ctx context.Context, s *Session, r *replacement) {
	var attrs []slog.Attr
	if s.stored {
		attrs = append(attrs, slog.String("replaces", m.tag(s.ID())))
	}
	event := "session created"
	switch {
	case s.resume != nil:
		event = "session signed in by a remembered device"
	case s.signIn:
		event = "session signed in"
	}
	m.log(ctx, slog.LevelInfo, event, r.id.hash(), attrs...)
}
