package jetstream

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

const (
	// minReserve is the least space in bytes that the stream has beyond
	// Bucket.MaxBytes; a full bucket must still take deletions.
	minReserve = 4 << 20
	// fillAge is how old the known size of a bucket may be.
	fillAge = 250 * time.Millisecond
)

// fillGauge knows about how large a bucket is.
type fillGauge struct {
	mu    sync.Mutex
	bytes uint64
	at    time.Time
}

// reserve is the space of the stream beyond the bucket's limit: the stream
// refuses deletions too when it is full itself.
func (s *Store) reserve() int64 { return max(minReserve, s.bucket.MaxBytes/8) }

// checkFill refuses values when the bucket has reached its limit. The size is
// asked for a few times a second at most; the reserve takes what comes between.
func (s *Store) checkFill(ctx context.Context, writes []kv.Write) error {
	if s.bucket.MaxBytes <= 0 || !hasPut(writes) {
		return nil
	}
	s.fill.mu.Lock()
	defer s.fill.mu.Unlock()
	if time.Since(s.fill.at) > fillAge {
		info, err := s.info(ctx)
		if err != nil {
			return err
		}
		s.fill.bytes, s.fill.at = info.State.Bytes, time.Now()
	}
	if s.fill.bytes >= uint64(s.bucket.MaxBytes) {
		return fmt.Errorf("%w: bucket %s is full (%d of %d bytes); delete keys or raise its limit",
			kv.ErrUnavailable, s.bucket.Name, s.fill.bytes, s.bucket.MaxBytes)
	}
	return nil
}

// hasPut tells whether one of the writes needs new space.
func hasPut(writes []kv.Write) bool {
	for _, w := range writes {
		if !w.Remove {
			return true
		}
	}
	return false
}
