package session

import (
	"context"
	"log/slog"
	"net/http"
)

// destroy carries out SignOut. The cookies are cleared only after the store
// has acknowledged the end and no process can overlook it: a person who reads
// "signed out" is.
func (m *Manager) destroy(ctx context.Context, s *Session) ([]*http.Cookie, error) {
	if writes := s.removal(); len(writes) > 0 {
		rev, err := m.store.Commit(ctx, nil, writes)
		if err != nil {
			return nil, storeFault("sign out", err)
		}
		m.log(ctx, slog.LevelInfo, "session signed out", s.ID())
		if s.rec.user != "" {
			if err := m.fence(ctx, rev); err != nil {
				return nil, err
			}
		}
	}
	if err := m.forgetDevices(ctx, s); err != nil {
		return nil, err
	}
	old := *s
	*s = Session{client: s.client}
	if old.quiet {
		return nil, nil
	}
	list := []*http.Cookie{m.clear(m.session)}
	if old.stored && old.rec.user == "" {
		list = append(list, m.clear(m.visitor))
	}
	if old.presented != nil || old.rec.device != "" {
		list = append(list, m.clear(m.remember))
	}
	return list, nil
}
