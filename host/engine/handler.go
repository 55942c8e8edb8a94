package engine

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
)

// Handler is a loaded handler with its pool of sandboxes.
type Handler struct {
	manifest *abi.Manifest
	engine   *Engine
	compiled wazero.CompiledModule
	module   *rewrite.Module
	image    *image
	pool     *pool[*sandbox]
	each     int64 // what a sandbox costs, see Cost; 0 if nobody asked at load
	log      *slog.Logger

	closing  sync.Once
	closeErr error
}

// clone makes a sandbox on the image.
func (h *Handler) clone() (*sandbox, error) {
	begin := time.Now()
	s, err := newSandbox(h.engine.runtime, h.compiled, h.module, h.image, h.engine.options.Limits)
	if err == nil && h.engine.options.Observer != nil {
		h.engine.options.Observer.Started(h.manifest.Name, time.Since(begin))
	}
	return s, err
}

// Manifest is what the handler says of itself; it must not be changed.
func (h *Handler) Manifest() *abi.Manifest { return h.manifest }

// Close ends the handler's sandboxes and frees its code and its image. It
// waits for the requests that are under way, which their deadlines end; Serve
// gives ErrClosed from then on.
func (h *Handler) Close(ctx context.Context) error {
	h.closing.Do(func() {
		h.engine.forget(h)
		h.pool.close()
		h.image.close()
		h.closeErr = h.compiled.Close(ctx)
	})
	return h.closeErr
}

// Serve answers x.Request in x.Response with a sandbox of its own, by the
// deadline of ctx. The error is ErrBusy, ErrClosed, a *Failure, or the error
// of x.Next.
func (h *Handler) Serve(ctx context.Context, x *Exchange) error {
	s, err := h.pool.get(ctx)
	if err != nil {
		return err
	}
	sound := false
	defer func() { h.pool.put(s, sound) }()
	begin := time.Now()
	err = h.run(ctx, s, x)
	cause := ""
	var failure *Failure
	if errors.As(err, &failure) {
		cause = failure.Cause
	}
	if h.engine.options.Observer != nil {
		h.engine.options.Observer.Served(h.manifest.Name, time.Since(begin), cause)
	}
	if sound = cause == ""; sound {
		h.logOutput(s)
	}
	return err
}

// run calls the guest's handle_request and, if it asks for it, the next
// handler and handle_response.
func (h *Handler) run(ctx context.Context, s *sandbox, x *Exchange) error {
	c := s.begin(ctx, x, h.manifest.Config, h.engine.options.Limits, h.guestLog)
	if err := s.invoke(s.request); err != nil {
		return newFailure(h.manifest.Name, err, string(s.output))
	}
	if uint32(s.stack[0]) != 1 {
		return nil
	}
	guestContext, isError := s.stack[0]>>32, uint64(0)
	nextErr := error(nil)
	if x.Next == nil {
		x.Response.Status = http.StatusNotFound
	} else if nextErr = x.Next(ctx, x); nextErr != nil {
		isError = 1
	}
	c.wroteRequest, c.wroteResponse, c.received = false, false, 0
	s.stack = [2]uint64{guestContext, isError}
	if err := s.invoke(s.response); err != nil {
		return newFailure(h.manifest.Name, err, string(s.output))
	}
	return nextErr
}

// guestLog writes a guest's message at http-wasm's level: -1 debug, 0 info,
// 1 warn, 2 error.
func (h *Handler) guestLog(level int32, message string) {
	levels := map[int32]slog.Level{-1: slog.LevelDebug, 0: slog.LevelInfo, 1: slog.LevelWarn, 2: slog.LevelError}
	h.log.Log(context.Background(), levels[level], message)
}

// logOutput passes on what a guest has printed, which may be of use to the
// handler's author.
func (h *Handler) logOutput(s *sandbox) {
	if len(s.output) > 0 {
		h.log.Info("the handler printed", "output", strings.TrimSpace(string(s.output)))
	}
}
