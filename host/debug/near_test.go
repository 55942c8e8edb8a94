package debug

import (
	"log/slog"
	"testing"

	"github.com/lectern-lms/lectern/kv/memory"
	"github.com/lectern-lms/lectern/kv/near"
)

// TestNearMetrics sees that a scrape shows each near cache under its bucket.
func TestNearMetrics(t *testing.T) {
	t.Parallel()
	cache := near.New(memory.New(), near.Options{Logger: slog.New(slog.DiscardHandler)})
	defer cache.Close()
	if _, err := cache.Get(t.Context(), "k"); err == nil {
		t.Fatal("an empty store has a key")
	}
	m := NewMetrics(2)
	m.WatchNear(map[string]*near.Store{"sessions": cache})
	wantMetrics(t, m, nil,
		`lectern_near_hits_total{bucket="sessions",worker="2"} 0`,
		`lectern_near_evictions_total{bucket="sessions",worker="2"} 0`,
		`lectern_near_members{bucket="sessions",worker="2"} 0`,
		`lectern_near_feed_lag_seconds{bucket="sessions",worker="2"}`,
		`lectern_near_bytes{bucket="sessions",worker="2"}`)
}
