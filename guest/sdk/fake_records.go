//go:build !wasip1

package sdk

import (
	"bytes"
	"maps"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/abi"
)

// Limits of the host's store and of one request.
const (
	fakeMaxKey     = 1024
	fakeMaxValue   = 1<<20 - 4096
	fakeMaxWrites  = 500
	fakeMaxScan    = 500
	fakeMaxEffects = 8 << 20
	fakeMaxSeconds = 100 * 365 * 24 * 60 * 60
)

// fakeReserved are the record prefixes that only the host may touch.
var fakeReserved = []string{"account/", "system/"}

// allowed ends the message and refuses a path that the manifest does not
// allow. A path is a key, or a prefix if it ends with a slash.
func (tx *fakeTx) allowed(in *abi.Reader, path string, may func(*abi.Manifest, string) bool) error {
	if err := in.Done(); err != nil {
		return err
	}
	m := tx.fake.Manifest
	isReserved := slices.ContainsFunc(fakeReserved, func(p string) bool { return strings.HasPrefix(path, p) })
	if isReserved || (m != nil && !may(m, path)) {
		return fakeRefuse(abi.StatusDenied, "the manifest does not allow %.80q", path)
	}
	return nil
}

// checkFakeKey refuses what is no key.
func checkFakeKey(key string) error {
	switch {
	case len(key) > fakeMaxKey:
		return fakeRefuse(abi.StatusTooLarge, "the key has %d bytes, the limit is %d", len(key), fakeMaxKey)
	case key == "", key[0] == '/', strings.HasSuffix(key, "/"), strings.Contains(key, "//"):
		return fakeRefuse(abi.StatusInvalid, "the key %.80q has an empty segment", key)
	}
	return nil
}

// get answers OpGet.
func (tx *fakeTx) get(in *abi.Reader) (abi.Writer, error) {
	key := in.String()
	if err := tx.allowed(in, key, (*abi.Manifest).MayRead); err != nil {
		return nil, err
	}
	if err := checkFakeKey(key); err != nil {
		return nil, err
	}
	if w, ok := tx.writes[key]; ok {
		return abi.Writer(nil).Bool(!w.remove).Bytes(w.value), nil
	}
	if err := tx.reachable(); err != nil {
		return nil, err
	}
	value, found := tx.fake.Records[key]
	return abi.Writer(nil).Bool(found).Bytes(value), nil
}

// scan answers OpScan.
func (tx *fakeTx) scan(in *abi.Reader) (abi.Writer, error) {
	prefix, after, limit := in.String(), in.String(), min(in.Uint(), fakeMaxScan)
	if err := tx.allowed(in, prefix, (*abi.Manifest).MayRead); err != nil {
		return nil, err
	}
	if bare, ok := strings.CutSuffix(prefix, "/"); prefix != "" {
		if !ok {
			return nil, fakeRefuse(abi.StatusInvalid, "the prefix %.80q does not end with a slash", prefix)
		}
		if err := checkFakeKey(bare); err != nil {
			return nil, err
		}
	}
	if err := tx.reachable(); err != nil {
		return nil, err
	}
	if limit == 0 {
		limit = fakeMaxScan
	}
	all, more := tx.allRecords(), false
	var page []abi.Record
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if !strings.HasPrefix(key, prefix) || key <= after {
			continue
		}
		if more = len(page) == int(limit); more {
			break
		}
		page = append(page, abi.Record{Key: key, Value: all[key]})
	}
	return abi.Writer(nil).Bool(more).Records(page), nil
}

// put answers OpPut.
func (tx *fakeTx) put(in *abi.Reader) (abi.Writer, error) {
	key, w, seconds := in.String(), fakeWrite{value: bytes.Clone(in.Bytes())}, in.Uint()
	if seconds > fakeMaxSeconds {
		return nil, fakeRefuse(abi.StatusInvalid, "a time to live of %d seconds, the most is %d", seconds, fakeMaxSeconds)
	}
	return nil, tx.write(in, key, w)
}

// remove answers OpDelete.
func (tx *fakeTx) remove(in *abi.Reader) (abi.Writer, error) {
	return nil, tx.write(in, in.String(), fakeWrite{remove: true})
}

// write buffers one change.
func (tx *fakeTx) write(in *abi.Reader, key string, w fakeWrite) error {
	if err := in.Done(); err != nil {
		return err
	}
	if err := tx.writable(""); err != nil {
		return err
	}
	if err := tx.allowed(in, key, (*abi.Manifest).MayWrite); err != nil {
		return err
	}
	if err := checkFakeKey(key); err != nil {
		return err
	}
	old, again := tx.writes[key]
	effects := tx.effects + len(key) + len(w.value)
	if again {
		effects -= len(key) + len(old.value)
	}
	if len(w.value) > fakeMaxValue || effects > fakeMaxEffects || (!again && len(tx.writes) >= fakeMaxWrites) {
		return fakeRefuse(abi.StatusTooLarge, "the value or the changes of the request are over a limit")
	}
	if w.value == nil && !w.remove {
		w.value = []byte{}
	}
	tx.writes[key], tx.effects = w, effects
	return nil
}
