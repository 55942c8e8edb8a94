package engine

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/pool"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
)

// Handler is a loaded handler with its sandboxes.
type Handler struct {
	manifest *abi.Manifest
	engine   *Engine
	compiled wazero.CompiledModule
	module   *rewrite.Module
	limits   Limits
	image    *image
	lane     *pool.Lane[*sandbox]
	log      *slog.Logger
	meter    Meter

	closing  sync.Once
	closeErr error
}

// clone makes a sandbox on the image.
func (h *Handler) clone() (*sandbox, error) {
	begin := time.Now()
	var s *sandbox
	var err error
	if h.image == nil {
		s, err = h.startPlain()
	} else {
		s, err = h.newSandbox(h.image)
	}
	if err == nil {
		h.meter.Started(time.Since(begin))
	}
	return s, err
}

// reset brings a sandbox back to the image.
func (h *Handler) reset(s *sandbox) error {
	if h.image == nil {
		s.call = call{}
		return nil
	}
	begin := time.Now()
	if s.spoilt != "" {
		h.meter.Ended(s.spoilt)
		s.renew()
	}
	written, err := s.reset()
	if err != nil {
		h.log.Error("a sandbox cannot be restored, so it is given up", "error", err)
		return err
	}
	h.meter.Restored(time.Since(begin), written)
	return nil
}

// destroy ends a sandbox.
func (h *Handler) destroy(s *sandbox, reason string) {
	h.meter.Ended(reason)
	s.close()
}

// Manifest is what the handler says of itself; it must not be changed.
func (h *Handler) Manifest() *abi.Manifest { return h.manifest }

// Close ends the handler's sandboxes and frees its code and its image. It
// waits for the requests that are under way, which their deadlines end; Serve
// gives ErrClosed from then on.
func (h *Handler) Close(ctx context.Context) error {
	h.closing.Do(func() {
		h.engine.forget(h)
		h.lane.Close()
		h.image.close()
		h.closeErr = h.compiled.Close(ctx)
	})
	return h.closeErr
}

// Serve answers x.Request in x.Response with a sandbox of its own, by the
// deadline of ctx or that of the manifest. The error is ErrBusy, ErrClosed, a
// *Failure, or the error of x.Next.
func (h *Handler) Serve(ctx context.Context, x *Exchange) error {
	if h.limits.Deadline > 0 {
		limited, cancel := context.WithTimeout(ctx, h.limits.Deadline)
		defer cancel()
		ctx = limited
	}
	if h.engine.options.Isolation == Fresh {
		return h.serveFresh(ctx, x)
	}
	s, err := h.lane.Get(ctx)
	if err != nil {
		return fmt.Errorf("handler %s: %w", h.manifest.Name, err)
	}
	begin, reason := time.Now(), CausePanic
	var took time.Duration
	defer func() { h.lane.Put(s, took, reason) }() // whatever happens: a Go panic in a host call too
	reason, err = h.run(ctx, s, x)
	took = time.Since(begin)
	h.meter.Served(took, reason)
	switch {
	case reason == "" && len(s.output) > 0:
		h.logOutput(s)
	case reason != "" && s.renewable():
		s.spoilt, reason = reason, ""
	}
	return err
}
