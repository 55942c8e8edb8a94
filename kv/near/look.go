package near

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// shard is where a key is kept, with the key's hash.
func (s *Store) shard(key string) (*shard, uint64) {
	hash := maphash.String(s.seed, key)
	return &s.shards[hash&uint64(len(s.shards)-1)], hash
}

// at is how far the feed has come.
func (s *Store) at() kv.Revision { return kv.Revision(s.position.Load()) }

// view is what a read knows of the cache before it looks at it. What it finds
// afterwards is at least as new.
type view struct {
	now      time.Time
	position kv.Revision
	least    kv.Revision // what the answer must show
	vouches  bool        // the lease holds
}

// look makes a view for a reader who must see at least a revision.
func (s *Store) look(least kv.Revision) view {
	v := view{now: time.Now(), least: max(least, kv.Revision(s.shown.Load()))}
	v.vouches = s.lease.Load().holds(v.now)
	v.position = s.at()
	return v
}

// errReserved refuses this package's own keys to callers.
var errReserved = fmt.Errorf("%w: keys under %s belong to the near cache; use another prefix", kv.ErrInvalid, prefix)

// reserved returns an error if a key or prefix is this package's own.
func reserved(key string) error {
	if strings.HasPrefix(key, prefix) {
		return errReserved
	}
	return nil
}

// unavailable makes an error of the store one that callers know. The end of
// the caller's own context is no fault of the store.
func unavailable(why string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	if err == nil {
		return fmt.Errorf("%w: %s", kv.ErrUnavailable, why)
	}
	return fmt.Errorf("%w: %s: %w", kv.ErrUnavailable, why, err)
}
