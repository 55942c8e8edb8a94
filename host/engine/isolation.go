package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/lectern-lms/lectern/host/engine/pool"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
)

// Isolation is what one request leaves to the next.
type Isolation int

const (
	// Pristine gives each request the frozen image. It is what this package is
	// for; the others are there to be measured against it.
	Pristine Isolation = iota
	// Unmetered is Pristine without the checks of fuel: nothing can stop a
	// handler that spins.
	Unmetered
	// Reused runs the module as it was compiled in instances that are used
	// again and again, as they were left: one person's data reach the next.
	Reused
	// Fresh runs the module as it was compiled and starts a new instance for
	// each request.
	Fresh
)

// String names the mode for logs and benchmarks.
func (i Isolation) String() string {
	return [...]string{"pristine", "unmetered", "reused", "fresh"}[i]
}

// plain reports whether modules run as they were compiled.
func (i Isolation) plain() bool { return i == Reused || i == Fresh }

// rewrite prepares a module for the mode.
func (i Isolation) rewrite(wasm []byte) (*rewrite.Module, error) {
	switch i {
	case Unmetered:
		return rewrite.Unmetered(wasm)
	case Reused, Fresh:
		// What the rewriter refuses is refused here too: the modes differ in
		// what a request costs, not in what can run.
		checked, err := rewrite.Rewrite(wasm)
		if err != nil {
			return nil, err
		}
		return &rewrite.Module{Wasm: wasm, MinPages: checked.MinPages, MaxPages: checked.MaxPages}, nil
	}
	return rewrite.Rewrite(wasm)
}

// startPlain makes an instance of the module as it was compiled and runs its
// start-up, as any host of wazero does.
func (h *Handler) startPlain() (*sandbox, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	s, err := h.newInstance(nil)
	if err != nil {
		return nil, err
	}
	s.begin(ctx, &Exchange{}, h.manifest.Config, h.limits, h.guestLog).logs = h.logs
	name := exportInitialize
	if s.module.ExportedFunction(name) == nil {
		name = exportStart
	}
	if f := s.module.ExportedFunction(name); f != nil {
		if err := s.invoke(f); err != nil {
			s.close()
			return nil, fmt.Errorf("its start-up (%s) failed: %w\n%s", name, err, s.output)
		}
	}
	s.call = call{}
	return s, nil
}

// serveFresh is Serve in the mode Fresh.
func (h *Handler) serveFresh(ctx context.Context, x *Exchange) error {
	begin := time.Now()
	s, err := h.startPlain()
	if err != nil {
		return err
	}
	defer h.destroy(s, pool.EndedReset)
	h.meter.Started(time.Since(begin))
	begin = time.Now()
	cause, err := h.run(ctx, s, x)
	h.meter.Served(time.Since(begin), cause)
	return err
}
