package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// errGone says that the store has no live session under an id.
var errGone = errors.New("no such session")

// Manager loads and saves sessions. It keeps no state between requests and
// may be used by many goroutines.
type Manager struct {
	store kv.Store
	cfg   Config
	// The signers of the three cookies.
	session, visitor, remember signer
	// next derives what a remembered device's token turns into, one key per
	// secret, and salt hides names in the log.
	next [][]byte
	salt []byte
}

// NewManager returns a manager of the sessions in store. The error names
// every fault of the configuration.
func NewManager(store kv.Store, cfg Config) (*Manager, error) {
	if store == nil {
		return nil, errors.New("session: no store to keep sessions in")
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	m := &Manager{store: store, cfg: cfg, salt: mac(cfg.Keys[0], []byte(logLabel))}
	m.session = newSigner(cfg.cookieName(sessionName), cfg.Keys)
	m.visitor = newSigner(cfg.cookieName(visitorName), cfg.Keys)
	m.remember = newSigner(cfg.cookieName(rememberName), cfg.Keys)
	for _, secret := range cfg.Keys {
		m.next = append(m.next, mac(secret, []byte(nextLabel)))
	}
	return m, nil
}

// Verify checks the form and the signature of a session's cookie value, of
// either kind, without asking the store: whether the session still lives only
// Load can tell.
func (m *Manager) Verify(cookie string) (Token, bool) {
	for _, s := range []signer{m.session, m.visitor} {
		if t, err := s.parse(cookie); err == nil {
			return t, true
		}
	}
	return Token{}, false
}

// Load returns the session that the cookies name: a signed-in person's before
// that of a remembered device before a visitor's. Empty, malformed, forged,
// unknown and expired values give a fresh anonymous session, which is stored
// nowhere until something is set: an id that this manager did not issue is
// never adopted. The error is always a failure of the store, wraps
// [kv.ErrUnavailable], and means that nobody knows who asks: answer 503. A
// failure is no error for a browser that has a visitor's cookie alone, since
// that is nobody's in any case: it gets a session without values, which can
// be read and not changed.
func (m *Manager) Load(ctx context.Context, c Cookies) (*Session, error) {
	s := &Session{remember: c.Remember}
	named, err := m.find(ctx, s, m.session, c.Session)
	if err != nil {
		return nil, err
	}
	if s.stored {
		return s, nil // Its remembered device is of interest only when it ends.
	}
	s.presented = m.parseRemember(ctx, c.Remember)
	if _, err := m.find(ctx, s, m.visitor, c.Visitor); err != nil {
		if named || s.presented != nil {
			return nil, err
		}
		m.log(ctx, slog.LevelWarn, "a visitor's session was not read, the page goes on without it", "", slog.Any("error", err))
		return &Session{lost: err}, nil
	}
	if err := m.takeUp(ctx, s); err != nil {
		return nil, err
	}
	return s, nil
}

// find reads the session that one of the two cookies names into s, and
// reports whether the value is genuine.
func (m *Manager) find(ctx context.Context, s *Session, by signer, value string) (genuine bool, err error) {
	if value == "" {
		return false, nil
	}
	t, err := by.parse(value)
	if err != nil {
		m.log(ctx, slog.LevelInfo, "session cookie refused", "", slog.String("reason", err.Error()))
		return false, nil
	}
	rec, rev, err := m.read(kv.AtLeast(ctx, t.Revision), t.id)
	if errors.Is(err, errGone) {
		return true, nil
	}
	if err != nil {
		return true, err
	}
	if (rec.user == "") != (by.name == m.visitor.name) {
		// Only a fault of ours can do this; nobody gets a session by it.
		m.log(ctx, slog.LevelWarn, "session refused", t.ID(), slog.String("reason", "its cookie is of the other kind"))
		return true, nil
	}
	s.stored, s.id, s.rev, s.rec, s.resign = true, t.id, rev, rec, t.oldKey
	if rev < t.Revision {
		// Get promises the newest record, so the store itself went back.
		m.log(ctx, slog.LevelWarn, "session store is older than the cookie, was it restored from a copy?", s.ID())
		s.resign = true
	}
	return true, nil
}

// read returns the live record of an id, or errGone after having logged why
// there is none. A record that it cannot read stays as it is.
func (m *Manager) read(ctx context.Context, id sessionID) (record, kv.Revision, error) {
	e, err := m.store.Get(ctx, recordKey(id.hash()))
	if errors.Is(err, kv.ErrNotFound) {
		return record{}, 0, m.gone(ctx, slog.LevelInfo, id, "unknown, ended or long expired")
	}
	if err != nil {
		return record{}, 0, storeFault("read", err)
	}
	rec, err := decodeRecord(e.Value)
	if err != nil {
		return record{}, 0, m.gone(ctx, slog.LevelWarn, id, err.Error())
	}
	if !time.Now().Before(m.end(rec)) {
		return record{}, 0, m.gone(ctx, slog.LevelInfo, id, "expired")
	}
	if e.Revision == 0 {
		// Zero means "absent" in a check: writing on it could bring a
		// session back to life.
		return record{}, 0, storeFault("read", errors.New("the store gave a record without a revision"))
	}
	return rec, e.Revision, nil
}

// gone logs why an id names no session.
func (m *Manager) gone(ctx context.Context, level slog.Level, id sessionID, reason string) error {
	m.log(ctx, level, "session refused", id.hash(), slog.String("reason", reason))
	return errGone
}

// end is when a session ends if nothing more is heard of it. The present
// settings count as well as the record, so that a shorter time-out holds for
// sessions that began before it.
func (m *Manager) end(r record) time.Time {
	end := r.expires
	for _, t := range []time.Time{r.seen.Add(m.cfg.Idle), r.created.Add(m.cfg.Absolute)} {
		if t.Before(end) {
			end = t
		}
	}
	return end
}

// stamp marks a record as seen now and sets its expiry. A record from the
// future was written by a clock that was ahead: it began now at the latest.
func (m *Manager) stamp(r *record, now time.Time) {
	if r.created.After(now) {
		r.created = now
	}
	r.seen = now
	r.expires = now.Add(min(m.cfg.Idle, r.created.Add(m.cfg.Absolute).Sub(now)))
}

// fence returns when no process takes for valid what ended at a revision.
func (m *Manager) fence(ctx context.Context, rev kv.Revision) error {
	f, ok := m.store.(kv.Fencer)
	if !ok || rev == 0 {
		return nil
	}
	if err := f.Fence(ctx, rev); err != nil {
		return storeFault("make sure that every process knows of the end of a session", err)
	}
	return nil
}

// log writes one event; id is a session's public name or "".
func (m *Manager) log(ctx context.Context, level slog.Level, event, id string, attrs ...slog.Attr) {
	if id != "" {
		attrs = append(attrs, slog.String("session", m.tag(id)))
	}
	m.cfg.Logger.LogAttrs(ctx, level, event, attrs...)
}

// storeFault wraps an error of the store so that callers need to know only
// kv.ErrUnavailable.
func storeFault(what string, err error) error {
	if errors.Is(err, kv.ErrUnavailable) {
		return fmt.Errorf("session: cannot %s: %w", what, err)
	}
	return fmt.Errorf("session: cannot %s: %w: %w", what, kv.ErrUnavailable, err)
}

// recordKey is the store's key of a session, by its public name.
func recordKey(id string) string { return "s/" + id }

// userHash stands for a user in keys.
func userHash(user string) string { return labelled(userLabel, []byte(user)) }

// userPrefix is what the keys of the index of a user's sessions start with.
func userPrefix(user string) string { return indexPrefix(userHash(user)) }

// indexPrefix is userPrefix by the user's hash.
func indexPrefix(hash string) string { return "u/" + hash + "/" }
