package site

import (
	"log/slog"
	"strings"

	"github.com/lectern-lms/lectern/host/auth"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/near"
)

// The memory that the near caches of a process may take, in bytes: that of
// about 20,000 sessions and as many accounts that are in use.
const (
	nearSessions = 16 << 20
	nearAccounts = 8 << 20
)

// readyPrefix is what /readyz reads under, which must not come from memory.
const readyPrefix = "system/"

// keepNear puts near caches over both buckets. Of the records only the accounts
// are kept, which every signed-in request reads: what pages show must be no
// older than what their reader has seen elsewhere, and nothing in a request
// tells how new that is; of the accounts, each change that matters is fenced.
func (s *Stores) keepNear(log *slog.Logger) {
	s.Near = map[string]*near.Store{}
	cache := func(bucket string, store kv.Store, bytes int64, keep func(string) bool) kv.Store {
		c := near.New(store, near.Options{MaxBytes: bytes, Keep: keep, Logger: log.With("bucket", bucket)})
		s.Near[bucket] = c
		return c
	}
	s.Sessions = cache("sessions", s.Sessions, nearSessions, func(path string) bool { return !strings.HasPrefix(path, readyPrefix) })
	s.Records = cache("records", s.Records, nearAccounts, auth.Cacheable)
}
