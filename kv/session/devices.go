package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// Device is a device on which a user is signed in, or which signs them in by
// itself, for its owner or an administrator.
type Device struct {
	// ID is the public name, as Session.Device gives it.
	ID     string
	Client Client
	// Created is when the user signed in with a password, Seen the last
	// request that was noted (up to a tenth of the idle time ago), Expires
	// when the device is signed out if nothing more is heard of it.
	Created, Seen, Expires time.Time
	// Remembered says that it signs in by itself when its session has ended.
	Remembered bool
}

// List returns the devices of a user, the most recently seen first.
func (m *Manager) List(ctx context.Context, user string) ([]Device, error) {
	list, _, err := m.survey(ctx, user)
	return list, err
}

// survey is List, with the keys of index entries whose sessions have ended:
// by their idle time, which the entries outlive.
func (m *Manager) survey(ctx context.Context, user string) (list []Device, dead []string, err error) {
	byID := map[string]Device{}
	page, err := m.store.Scan(ctx, kv.Range{Prefix: devicePrefix(userHash(user))})
	if err != nil {
		return nil, nil, storeFault("list devices", err)
	}
	for _, e := range page.Entries {
		rec, err := decodeRememberRecord(e.Value)
		if err != nil || rec.user != user || !time.Now().Before(m.deviceEnd(rec)) {
			continue
		}
		id := strings.TrimPrefix(e.Key, devicePrefix(userHash(user)))
		byID[id] = Device{ID: id, Client: rec.client, Created: rec.created, Seen: rec.seen, Expires: m.deviceEnd(rec), Remembered: true}
	}
	if page, err = m.store.Scan(ctx, kv.Range{Prefix: userPrefix(user)}); err != nil {
		return nil, nil, storeFault("list sessions", err)
	}
	for _, e := range page.Entries {
		id := strings.TrimPrefix(e.Key, userPrefix(user))
		rec, err := m.peek(ctx, id)
		if errors.Is(err, errGone) {
			dead = append(dead, e.Key)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if rec.user == user {
			m.merge(byID, id, rec)
		}
	}
	list = make([]Device, 0, len(byID))
	for _, d := range byID {
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Device) int {
		if order := b.Seen.Compare(a.Seen); order != 0 {
			return order
		}
		return strings.Compare(a.ID, b.ID)
	})
	return list, dead, nil
}

// merge adds a session to the devices, to the remembered one that it belongs
// to if it belongs to any.
func (m *Manager) merge(byID map[string]Device, id string, rec record) {
	if rec.device != "" {
		id = rec.device
	}
	d, known := byID[id]
	if !known {
		d = Device{ID: id, Created: rec.created, Expires: m.end(rec)}
	}
	if !known || rec.seen.After(d.Seen) {
		d.Seen, d.Client = rec.seen, rec.client
	}
	if end := m.end(rec); end.After(d.Expires) {
		d.Expires = end
	}
	byID[id] = d
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
