package engine

import (
	"context"
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

// TestCost loads a handler with a pool that is to fit into the memory: the
// question comes once, with a cost that covers every page the sandbox may keep
// and little more, and the answer bounds the pool.
func TestCost(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		fits, want int
		copies     bool
	}{
		"as many as fit":        {5, 5, false},
		"no more than the most": {500, 8, false},
		"one at least":          {0, 1, false},
		"by copying":            {5, 5, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked []int64
			e, err := New(t.Context(), Options{Sandboxes: 8, CopyImages: tt.copies, Fit: func(cost int64) int {
				asked = append(asked, cost)
				return tt.fits
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close(context.Background())
			h, err := e.Load(t.Context(), costly())
			if err != nil {
				t.Fatal(err)
			}
			got, cost := h.Capacity()
			if got != tt.want {
				t.Errorf("the pool has room for %d sandboxes; want %d", got, tt.want)
			}
			const memory = costPages * wasmPage
			if len(asked) != 1 || asked[0] != cost {
				t.Errorf("asked with %v; says that a sandbox costs %d", asked, cost)
			}
			if len(asked) != 1 || asked[0] <= memory || asked[0] > 8<<20 {
				t.Errorf("asked with %v; want one cost of a little over %d bytes", asked, memory)
			}
		})
	}
}
