package session

import (
	"context"
	"log/slog"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// trim ends what a user has over the limit, the longest unused first, and
// what is left of sessions that have ended; s is spared. It runs after a
// sign-in, which holds whether or not it succeeds.
func (m *Manager) trim(ctx context.Context, user string, s *Session) {
	entries, err := m.leftovers(ctx, user, s)
	if err == nil && entries > m.cfg.Limit {
		err = m.surplus(ctx, user, s)
	}
	if err != nil {
		m.log(ctx, slog.LevelWarn, "the limit of sessions was not enforced, the next sign-in tries again", s.ID(), slog.Any("error", err))
	}
}

// leftovers ends the sessions that the same remembered device has had before:
// its browser has lost their cookies. It tells how many entries the user has
// besides, which is at least as many as devices.
func (m *Manager) leftovers(ctx context.Context, user string, s *Session) (int, error) {
	sessions, err := m.store.Scan(ctx, kv.Range{Prefix: userPrefix(user), Limit: kv.MaxWrites / 2})
	if err != nil {
		return 0, err
	}
	var dead []kv.Write
	for _, e := range sessions.Entries {
		id, device := strings.TrimPrefix(e.Key, userPrefix(user)), indexDevice(e.Value)
		if id != s.ID() && device != "" && device == s.rec.device {
			dead = append(dead, kv.Delete(e.Key), kv.Delete(recordKey(id)))
		}
	}
	devices, err := m.store.Scan(ctx, kv.Range{Prefix: devicePrefix(userHash(user)), Limit: maxLimit + 1})
	if err != nil {
		return 0, err
	}
	return len(sessions.Entries) - len(dead)/2 + len(devices.Entries), m.removeAll(ctx, dead)
}

// surplus ends the devices beyond the limit.
func (m *Manager) surplus(ctx context.Context, user string, s *Session) error {
	list, gone, err := m.survey(ctx, user)
	if err != nil {
		return err
	}
	var dead []kv.Write
	for _, key := range gone[:min(len(gone), kv.MaxWrites)] {
		dead = append(dead, kv.Delete(key))
	}
	if err := m.removeAll(ctx, dead); err != nil {
		return err
	}
	over, kept := map[string]bool{}, 1 // s itself
	for _, d := range list {
		if d.ID == s.Device() {
			continue
		}
		if kept++; kept > m.cfg.Limit {
			over[d.ID] = true
		}
	}
	if len(over) == 0 {
		return nil
	}
	_, err = m.endAll(ctx, userHash(user), func(device, session string) bool {
		return over[device] || device == "" && over[session]
	})
	return err
}

// removeAll commits removals and waits until every process knows.
func (m *Manager) removeAll(ctx context.Context, dead []kv.Write) error {
	if len(dead) == 0 {
		return nil
	}
	rev, err := m.store.Commit(ctx, nil, dead)
	if err != nil {
		return err
	}
	return m.fence(ctx, rev)
}
