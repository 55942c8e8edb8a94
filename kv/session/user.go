package session

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// revokePage is how many sessions one commit ends: two writes each, under
// kv.MaxWrites.
const revokePage = 200

// revokeRounds bounds RevokeUser while the same user keeps signing in.
const revokeRounds = 50

// Info describes one session of a user for its owner or an administrator.
type Info struct {
	// ID is the public name, as Session.ID gives it.
	ID string
	// Created is when the user signed in, Seen the last request that was
	// noted (up to a tenth of the idle time ago), Expires when it will end.
	Created, Seen, Expires time.Time
}

// List returns the live sessions of a user, the most recently seen first.
func (m *Manager) List(ctx context.Context, user string) ([]Info, error) {
	prefix := userPrefix(user)
	page, err := m.store.Scan(ctx, kv.Range{Prefix: prefix})
	if err != nil {
		return nil, storeFault("list sessions", err)
	}
	var list []Info
	for _, e := range page.Entries {
		id := strings.TrimPrefix(e.Key, prefix)
		rec, err := m.peek(ctx, id)
		if errors.Is(err, errGone) {
			continue // Ended by its idle time; the index entry outlives it.
		}
		if err != nil {
			return nil, err
		}
		if rec.user == user {
			list = append(list, Info{ID: id, Created: rec.created, Seen: rec.seen, Expires: m.end(rec)})
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return b.Seen.Compare(a.Seen) })
	return list, nil
}

// peek reads a live record by its public name without logging.
func (m *Manager) peek(ctx context.Context, id string) (record, error) {
	e, err := m.store.Get(ctx, recordKey(id))
	if errors.Is(err, kv.ErrNotFound) {
		return record{}, errGone
	}
	if err != nil {
		return record{}, storeFault("read", err)
	}
	rec, err := decodeRecord(e.Value)
	if err != nil || !time.Now().Before(m.end(rec)) {
		return record{}, errGone
	}
	return rec, nil
}

// RevokeUser ends all sessions of a user but the one whose public name is
// exceptID ("" for none). When it returns nil they have ended in the store,
// and requests that still hold one cannot save it. Call it after a password
// change and when an account is disabled.
func (m *Manager) RevokeUser(ctx context.Context, user, exceptID string) error {
	prefix, ended := userPrefix(user), 0
	for range revokeRounds {
		// One more than can be spared, so that the spared one never fills a page.
		page, err := m.store.Scan(ctx, kv.Range{Prefix: prefix, Limit: revokePage + 1})
		if err != nil {
			return storeFault("revoke sessions", err)
		}
		var writes []kv.Write
		for _, e := range page.Entries {
			if id := strings.TrimPrefix(e.Key, prefix); id != exceptID {
				writes = append(writes, kv.Delete(recordKey(id)), kv.Delete(e.Key))
			}
		}
		if len(writes) == 0 {
			m.log(ctx, slog.LevelInfo, "sessions of a user revoked", "", slog.Int("count", ended))
			return nil
		}
		if _, err := m.store.Commit(ctx, nil, writes); err != nil {
			return storeFault("revoke sessions", err)
		}
		ended += len(writes) / 2
	}
	return fmt.Errorf("session: revoked %d sessions, but the user keeps signing in: disable the account first", ended)
}
