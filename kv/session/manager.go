package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Names of the cookie. The prefix makes browsers refuse it unless it came
// over TLS, from this very host, for the path "/".
const (
	plainName  = "session"
	secureName = "__Host-session"
)

// errGone says that the store has no live session under an id.
var errGone = errors.New("no such session")

// Manager loads and saves sessions. It keeps no state between requests and
// may be used by many goroutines.
type Manager struct {
	store kv.Store
	cfg   Config
	sign  signer
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
	m := &Manager{store: store, cfg: cfg}
	m.sign = newSigner(m.CookieName(), cfg.Keys)
	return m, nil
}

// CookieName is the name of the cookie to hand to Load and Verify.
func (m *Manager) CookieName() string {
	if m.cfg.Secure {
		return secureName
	}
	return plainName
}

// Verify checks the form and the signature of a cookie value without asking
// the store: whether the session still lives only Load can tell.
func (m *Manager) Verify(cookie string) (Token, bool) {
	t, err := m.sign.parse(cookie)
	return t, err == nil
}

// Load returns the session that a cookie value names. An empty, malformed,
// forged, unknown or expired one gives a fresh anonymous session, which is
// stored nowhere until something is set: an id that this manager did not issue
// is never adopted. The error is always a failure of the store, wraps
// [kv.ErrUnavailable], and means that nobody knows who asks: answer 503.
func (m *Manager) Load(ctx context.Context, cookie string) (*Session, error) {
	if cookie == "" {
		return &Session{}, nil
	}
	t, err := m.sign.parse(cookie)
	if err != nil {
		m.log(ctx, slog.LevelInfo, "session cookie refused", "", slog.String("reason", err.Error()))
		return &Session{}, nil
	}
	rec, rev, err := m.read(ctx, t.id)
	if errors.Is(err, errGone) {
		return &Session{}, nil
	}
	if err != nil {
		return nil, err
	}
	s := &Session{stored: true, id: t.id, rev: rev, rec: rec, resign: t.oldKey}
	if rev < t.Revision {
		// Get promises the newest record, so the store itself went back.
		m.log(ctx, slog.LevelWarn, "session store is older than the cookie, was it restored from a copy?", s.ID())
		s.resign = true
	}
	return s, nil
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

// stamp marks a record as seen now and sets its expiry.
func (m *Manager) stamp(r *record, now time.Time) {
	r.seen = now
	r.expires = now.Add(min(m.cfg.Idle, r.created.Add(m.cfg.Absolute).Sub(now)))
}

// cookie makes the cookie for a record. It has no Domain, so it stays on this
// host, and no lifetime, so it goes when the browser is closed.
func (m *Manager) cookie(id sessionID, rev kv.Revision) *http.Cookie {
	return &http.Cookie{
		Name: m.CookieName(), Value: m.sign.sign(id, rev), Path: "/",
		Secure: m.cfg.Secure, HttpOnly: true, SameSite: m.cfg.SameSite,
	}
}

// clearCookie makes the cookie that removes the browser's.
func (m *Manager) clearCookie() *http.Cookie {
	return &http.Cookie{
		Name: m.CookieName(), Path: "/", MaxAge: -1,
		Secure: m.cfg.Secure, HttpOnly: true, SameSite: m.cfg.SameSite,
	}
}

// log writes one event; id is a session's public name or "".
func (m *Manager) log(ctx context.Context, level slog.Level, event, id string, attrs ...slog.Attr) {
	if id != "" {
		attrs = append(attrs, slog.String("session", m.sign.tag(id)))
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

// userPrefix is what the keys of the index of a user's sessions start with.
func userPrefix(user string) string { return "u/" + labelled(userLabel, []byte(user)) + "/" }
