package engine

import (
	"math"
	"runtime"
)

// costTries is how often the cost is measured; the least counts, since what
// requests allocate meanwhile counts as well.
const costTries = 3

// Cost measures what one more sandbox of the handler takes between requests,
// at most, in bytes: what making one allocates on Go's heap, garbage included,
// and the pages that it may keep as its own. A request under way may need more,
// up to its limit. Measuring makes sandboxes and drops them, which takes a few
// milliseconds.
func (h *Handler) Cost() (int64, error) {
	h.engine.quiet.Lock()
	defer h.engine.quiet.Unlock()
	least := int64(math.MaxInt64)
	for range costTries {
		cost, err := h.cost()
		if err != nil {
			return 0, err
		}
		least = min(least, cost)
	}
	return least, nil
}

// cost measures once.
func (h *Handler) cost() (int64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before) // stops the world for a moment; what package metrics reads lags behind
	s, err := h.newSandbox(h.image)
	if err != nil {
		return 0, err
	}
	defer s.close()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc-before.TotalAlloc) + int64(s.memory.space.keeps()), nil
}
