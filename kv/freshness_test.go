package kv_test

import (
	"context"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// TestAtLeast keeps the largest revision that anybody on the way has asked for.
func TestAtLeast(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, step := range []struct{ ask, want kv.Revision }{{0, 0}, {7, 7}, {3, 7}, {9, 9}} {
		ctx = kv.AtLeast(ctx, step.ask)
		if got := kv.LeastRevision(ctx); got != step.want {
			t.Errorf("after %d: %d, want %d", step.ask, got, step.want)
		}
	}
}
