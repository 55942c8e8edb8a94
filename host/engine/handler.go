package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
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
	if reason == "" && len(s.output) > 0 {
		h.logOutput(s)
	}
	return err
}

// run calls the guest's handle_request and, if it asks for it, the next
// handler and handle_response. The cause is "" unless this guest failed; then
// the error is a *Failure.
func (h *Handler) run(ctx context.Context, s *sandbox, x *Exchange) (cause string, err error) {
	c := s.begin(ctx, x, h.manifest.Config, h.limits, h.guestLog)
	c.logs = h.logs
	if err := s.invoke(s.request); err != nil {
		return h.failed(s, err)
	}
	if uint32(s.stack[0]) != 1 {
		return "", nil
	}
	guestContext, isError := s.stack[0]>>32, uint64(0)
	if x.Next == nil {
		x.Response.Status = http.StatusNotFound
	} else if err = x.Next(ctx, x); err != nil {
		isError = 1
	}
	c.passedOn, c.wroteResponse, c.received = true, false, 0
	s.stack = [2]uint64{guestContext, isError}
	if fault := s.invoke(s.response); fault != nil {
		cause, fault = h.failed(s, fault)
		return cause, errors.Join(fault, err)
	}
	return "", err
}

// failed is the end of a run in which the guest gave no answer.
func (h *Handler) failed(s *sandbox, err error) (cause string, _ error) {
	f := newFailure(h.manifest.Name, err, string(s.output))
	return f.Cause, f
}

// guestLog writes a guest's message at http-wasm's level.
func (h *Handler) guestLog(level int32, message string) {
	h.log.Log(context.Background(), levelOf(level), message)
}

// logs reports whether the log takes messages of http-wasm's level.
func (h *Handler) logs(level int32) bool { return h.log.Enabled(context.Background(), levelOf(level)) }

// levelOf is the log's level for http-wasm's: -1 debug, 0 info, 1 warn, 2
// error.
func levelOf(level int32) slog.Level {
	return slog.Level(4 * min(max(level, -1), 2)) // slog's are four apart too
}

// logOutput passes on what a guest has printed, which may be of use to the
// handler's author.
func (h *Handler) logOutput(s *sandbox) {
	if len(s.output) > 0 {
		h.log.Info("the handler printed", "output", strings.TrimSpace(string(s.output)))
	}
}
