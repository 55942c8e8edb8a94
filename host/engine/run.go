package engine

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
)

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
