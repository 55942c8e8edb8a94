package memory_test

import (
	"testing"

	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/kvtest"
	"github.com/lectern-lms/lectern/kv/memory"
)

// TestConformance runs the suite of all adapters.
func TestConformance(t *testing.T) {
	t.Parallel()
	kvtest.Run(t, func(t *testing.T) kv.Store {
		s := memory.New()
		t.Cleanup(func() { _ = s.Close() }) // never fails
		return s
	})
}

// BenchmarkStore runs the benchmarks of all adapters.
func BenchmarkStore(b *testing.B) {
	kvtest.Bench(b, func(b *testing.B) kv.Store {
		s := memory.New()
		b.Cleanup(func() { _ = s.Close() }) // never fails
		return s
	})
}
