package engine

import (
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// costPages is the memory of the handler that TestCost loads, in wasm pages.
const costPages = 3

// costly is a handler that does nothing and has a memory of costPages.
func costly() []byte {
	m := &wasmtest.Module{}
	request := m.Func("", "l", "", wasmtest.I64(0))
	response := m.Func("ii", "", "")
	m.Memory(costPages, costPages)
	m.Export("handle_request", wasmtest.KindFunction, request)
	m.Export("handle_response", wasmtest.KindFunction, response)
	m.Custom(abi.ManifestSection, []byte(`{"abi": 1, "name": "costly", "version": "1", "routes": [{"pattern": "GET /"}]}`))
	return m.Bytes()
}

// TestCost loads a handler into an engine with little memory: the cost covers
// every page that a sandbox may keep and little more, and bounds the pool.
func TestCost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		memory int64 // in sandboxes
		copies bool
	}{
		"as many as fit":        {5, false},
		"no more than the most": {500, false},
		"the spares at least":   {0, false},
		"by copying":            {5, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cost := int64(1)
			// First to learn the cost, then with a memory of so many sandboxes.
			for _, memory := range []int64{1 << 40, 0} {
				if memory == 0 {
					memory = tt.memory*cost + cost/2
				}
				h := load(t, newEngine(t, func(o *Options) { o.Sandboxes, o.Memory, o.CopyImages = 8, memory, tt.copies }), costly())
				u := h.Usage()
				got, each := u.Most, u.Cost
				if each <= costPages*wasmPage || each > 8<<20 {
					t.Errorf("a sandbox costs %d; want a little over %d bytes", each, costPages*wasmPage)
				}
				// Other tests allocate too, so the second cost may differ.
				if want := min(8, max(1, int(memory/each))); got != want || tt.memory == 500 && got != 8 || tt.memory == 0 && memory < 1<<40 && got != 1 {
					t.Errorf("the pool has room for %d sandboxes; want %d", got, want)
				}
				cost = each
			}
		})
	}
}
