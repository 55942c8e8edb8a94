package session

import (
	"context"
	"fmt"
	"log/slog"
	"strings"

	"github.com/lectern-lms/lectern/kv"
)

// revokePage is how many sessions one commit ends: two writes each, under
// kv.MaxWrites.
const revokePage = 100

// revokeRounds bounds RevokeUser while the same user keeps signing in.
const revokeRounds = 50

// Revoke ends one device of a user and reports whether there was one of this
// name. When it returns nil no process takes its sessions for valid.
func (m *Manager) Revoke(ctx context.Context, user, device string) (bool, error) {
	if device == "" {
		return false, nil
	}
	n, err := m.endAll(ctx, userHash(user), func(remembered, session string) bool {
		return remembered == device || remembered == "" && session == device
	})
	return n > 0, err
}

// RevokeUser ends all sessions and remembered devices of a user but the device
// of the name except ("" for none). When it returns nil no process takes one
// of them for valid, and requests that still hold one cannot save it. Call it
// after a password change and when an account is disabled.
func (m *Manager) RevokeUser(ctx context.Context, user, except string) error {
	_, err := m.endAll(ctx, userHash(user), func(remembered, session string) bool {
		return except == "" || remembered != except && (remembered != "" || session != except)
	})
	return err
}

// forget ends the remembered device of a browser that has signed out or
// signed in anew, with whatever sessions the device has left behind.
func (m *Manager) forget(ctx context.Context, hash, device string) error {
	_, err := m.endAll(ctx, hash, func(remembered, _ string) bool { return remembered == device })
	return err
}

// endAll ends the sessions and remembered devices of a user that choose picks,
// by the name of the device ("" if it is not remembered) and of the session
// ("" for the device's own record), and tells how many keys that were.
func (m *Manager) endAll(ctx context.Context, hash string, choose func(device, session string) bool) (int, error) {
	ended, last := 0, kv.Revision(0)
	for range revokeRounds {
		writes, err := m.chosen(ctx, hash, choose)
		if err != nil {
			return ended, err
		}
		if len(writes) == 0 {
			if ended == 0 {
				return 0, nil
			}
			m.log(ctx, slog.LevelInfo, "devices of a user revoked", "", slog.Int("keys", ended))
			return ended, m.fence(ctx, last)
		}
		if last, err = m.store.Commit(ctx, nil, writes); err != nil {
			return ended, storeFault("revoke sessions", err)
		}
		ended += len(writes)
	}
	return ended, fmt.Errorf("session: revoked %d keys, but the user keeps signing in: disable the account first", ended)
}

// chosen is the writes that end what choose picks, at most as many as one
// commit holds: first remembered devices, so that they open no new session.
func (m *Manager) chosen(ctx context.Context, hash string, choose func(device, session string) bool) ([]kv.Write, error) {
	var writes []kv.Write
	for _, prefix := range []string{devicePrefix(hash), indexPrefix(hash)} {
		after := ""
		for more := true; more && len(writes) < 2*revokePage; {
			page, err := m.store.Scan(ctx, kv.Range{Prefix: prefix, After: after, Limit: revokePage})
			if err != nil {
				return nil, storeFault("revoke sessions", err)
			}
			for _, e := range page.Entries {
				name := strings.TrimPrefix(e.Key, prefix)
				switch after = e.Key; {
				case prefix != indexPrefix(hash):
					if choose(name, "") {
						writes = append(writes, kv.Delete(e.Key))
					}
				case choose(indexDevice(e.Value), name):
					writes = append(writes, kv.Delete(e.Key), kv.Delete(recordKey(name)))
				}
			}
			more = page.More
		}
	}
	return writes[:min(len(writes), 2*revokePage)], nil
}

// indexEntry is what the index of a user's sessions holds of one: a version
// and the remembered device that it belongs to.
func indexEntry(device string) []byte { return append([]byte{recordVersion}, device...) }

// indexDevice is the device in an index entry.
func indexDevice(value []byte) string {
	if len(value) == 0 {
		return ""
	}
	return string(value[1:])
}
