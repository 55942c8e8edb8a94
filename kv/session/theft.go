package session

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/lectern-lms/lectern/kv"
)

// stolen ends all of a user's remembered devices and the sessions that began
// with them, because a token came again that was used before: either the
// browser that has it or the one that used it is not its owner's. The check
// makes sure that the record is the newest, so that a copy that lags behind
// never raises the alarm. All of it is one commit: a process that dies half-way
// leaves no device that is still remembered.
func (m *Manager) stolen(ctx context.Context, t *rememberToken, rec rememberRecord, rev kv.Revision) error {
	hash := userHash(rec.user)
	remembered := func(device, _ string) bool { return device != "" }
	writes, err := m.chosen(ctx, hash, remembered)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(writes, func(w kv.Write) bool { return w.Key == t.key() }) {
		writes = append(writes, kv.Delete(t.key()))
	}
	writes = append(writes, kv.PutTTL(warningKey(rec.user), []byte(rec.notice), warningAge))
	ended, err := m.store.Commit(ctx, []kv.Check{kv.Unchanged(t.key(), rev)}, writes)
	if errors.Is(err, kv.ErrConflict) {
		return err
	}
	if err != nil {
		return storeFault("end a stolen device", err)
	}
	m.log(ctx, slog.LevelWarn, "the token of a remembered device came a second time: it was copied, so all remembered devices of its user end", t.device())
	// What began in between ends too.
	if _, err := m.endAll(ctx, hash, remembered); err != nil {
		return err
	}
	return m.fence(ctx, ended)
}

// Warning is the notice that waits for a user after a theft, "" if none. Call
// it together with SignIn and show it; Save then removes it.
func (m *Manager) Warning(ctx context.Context, s *Session) (string, error) {
	e, err := m.store.Get(ctx, warningKey(s.User()))
	if errors.Is(err, kv.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", storeFault("read a warning", err)
	}
	s.warned = true
	return string(e.Value), nil
}

// warningKey is the store's key of a user's warning.
func warningKey(user string) string { return "w/" + userHash(user) }
