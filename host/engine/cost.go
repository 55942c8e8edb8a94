package engine

import (
	"runtime"
	"time"
)

// Cost measures what one more sandbox of the handler takes between requests,
// at most, in bytes: what making one allocates on Go's heap, garbage included,
// and the pages that it may keep as its own. A request under way may need more,
// up to its limit. Measuring makes one sandbox and drops it, which takes about a
// millisecond; what the process allocates meanwhile counts as well.
func (h *Handler) Cost() (int64, error) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before) // stops the world for a moment; what package metrics reads lags behind
	s, err := newSandbox(h.engine.runtime, h.compiled, h.module, h.image, h.engine.options.Limits)
	if err != nil {
		return 0, err
	}
	defer s.close()
	runtime.ReadMemStats(&after)
	return int64(after.TotalAlloc-before.TotalAlloc) + int64(s.memory.space.keeps()), nil
}

// slots is how many sandboxes of the handler may work at once.
func (h *Handler) slots() (int, error) {
	o := h.engine.options
	if o.Fit == nil {
		return o.Sandboxes, nil
	}
	begin := time.Now()
	cost, err := h.Cost()
	if err != nil {
		return 0, err
	}
	n := min(max(o.Fit(cost), 1), o.Sandboxes)
	h.log.Debug("sandboxes of the handler", "at most", n, "bytes each", cost, "took", time.Since(begin))
	return n, nil
}
