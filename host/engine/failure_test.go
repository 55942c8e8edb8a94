package engine

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// failures are commands that end badly: the cause, and what must be in the
// error or its stack.
var failures = []struct{ command, cause, text string }{
	{"/panic?boom", CausePanic, "panic: the probe was told: boom"},
	{"/panic?boom", CausePanic, "main.fail("},
	{"/exit?3", CausePanic, "exit_code(3)"},
	{"/exit?0", CausePanic, "exit_code(0)"},
	{"/unknown", CausePanic, `no command "unknown"`},
	{"/allocate", CausePanic, "out of memory"},
	{"/header?X-Break=a_Set-Cookie:x", CauseFault, `header "X-Break"`},
	{"/header?Bad Name=x", CauseFault, "malformed"},
	{"/header?Set-Cookie=a", CauseFault, "Set-Cookie is set by the host alone"},
	{"/header?transfer-encoding=chunked", CauseFault, "Transfer-Encoding is set by the host alone"},
	{"/status?99", CauseFault, "status 99"},
	{"/status?600", CauseFault, "status 600"},
	{"/status?-1", CauseFault, "status -1"},
	{"/body?9", CauseFault, "more than 8388608 bytes"},
	{"/headers", CauseFault, "the limit is 65536 bytes and 1000 headers"},
	{"/host?10001", CauseFault, "more than 10000 host calls"},
	{"/pointer?write", CauseFault, "100 bytes at 4294967280"},
	{"/pointer?write all", CauseFault, "4294967295 bytes at 0"},
	{"/pointer?read", CauseFault, "outside its memory"},
	{"/pointer?read nothing", CauseFault, "limit of zero"},
	{"/pointer?kind", CauseFault, "no body kind 7"},
	{"/pointer?message", CauseFault, "100 bytes at 4294967280"},
	{"/pointer?message all", CauseFault, "4294967295 bytes at 1"},
}

// TestFailures checks the cause of each failure, that its stack names what the
// guest did, and that the next request is none the worse.
func TestFailures(t *testing.T) {
	t.Parallel()
	h := newProbe(t, func(o *Options) { o.Sandboxes = 1 })
	for _, tt := range failures {
		s := idle(h)
		ctx, cancel := context.WithTimeout(context.Background(), plenty)
		_, err := ask(ctx, h, tt.command)
		cancel()
		var failure *Failure
		if !errors.As(err, &failure) {
			t.Errorf("%s: error %v, want a failure", tt.command, err)
			continue
		}
		if failure.Cause != tt.cause || failure.Handler != "probe" || !strings.Contains(failure.Stack(), tt.text) {
			t.Errorf("%s: cause %s, want %s with %q in:\n%s", tt.command, failure.Cause, tt.cause, tt.text, failure.Stack())
		}
		if strings.Contains(failure.Error(), "\n") || !strings.Contains(failure.Error(), "probe stopped ("+tt.cause+")") {
			t.Errorf("%s: the error is not one line that names handler and cause: %q", tt.command, failure.Error())
		}
		if next := idle(h); next != nil {
			checkPristine(t, tt.command, next)
			exited := strings.HasPrefix(tt.command, "/exit")
			if kept := next == s; kept == exited {
				t.Errorf("%s: the sandbox was kept: %t", tt.command, kept)
			}
		}
		if got := mustAsk(t, h, "/ok"); got != "fine" {
			t.Errorf("%s: the next request gets %q", tt.command, got)
		}
	}
}

// checkPristine compares every byte and global of a sandbox with its image.
func checkPristine(t *testing.T, after string, s *sandbox) {
	t.Helper()
	image, space := s.image.content, reachable(s)
	if len(space) < len(image) || !bytes.Equal(space[:len(image)], image) || len(bytes.Trim(space[len(image):], "\x00")) != 0 {
		t.Errorf("%s: the memory is not the image", after)
	}
	if got := s.module.Memory().Size(); int(got) != len(image) {
		t.Errorf("%s: the memory has %d bytes, its image %d", after, got, len(image))
	}
	for i, g := range s.globals {
		if g.Get() != s.image.globals[i] {
			t.Errorf("%s: global %d is %d, in the image %d", after, i, g.Get(), s.image.globals[i])
		}
	}
	if s.call.x != nil || len(s.output) > 0 || s.spoilt != "" {
		t.Errorf("%s: the sandbox still holds the request", after)
	}
}

// TestRecursion checks that recursion without end, which needs native stack
// that is not the guest's memory, ends as a failure and hurts nobody: a Go
// guest's by its memory, which is its stack, others' by the native stack.
func TestRecursion(t *testing.T) {
	t.Parallel()
	_, goGuest := shared(t)
	other := small(t, func(m *Module) []byte {
		m.Func("i", "i", "", Op(LocalGet, 0), Op(Call, 0), I32(1), Op(I32Add))
		return Ops(I32(1), Op(Call, 0), Op(Drop), I64(0))
	})
	for _, tt := range []struct {
		h           *Handler
		cause, text string
	}{{goGuest, CausePanic, "out of memory"}, {other, CauseTrap, "stack overflow"}} {
		ctx, cancel := context.WithTimeout(context.Background(), plenty)
		_, err := ask(ctx, tt.h, "/recurse")
		cancel()
		var failure *Failure
		if !errors.As(err, &failure) || failure.Cause != tt.cause || !strings.Contains(failure.Stack(), tt.text) {
			t.Errorf("error %v, want a failure by %s with %q", err, tt.cause, tt.text)
		}
		ctx, cancel = context.WithTimeout(context.Background(), 5*time.Millisecond)
		begin := time.Now()
		_, err = ask(ctx, tt.h, "/recurse")
		cancel()
		if !errors.As(err, &failure) || failure.Cause != CauseTimeout {
			t.Errorf("error %v, want a failure by %s", err, CauseTimeout)
		}
		if took := time.Since(begin); took > 5*time.Millisecond+late*slowness {
			t.Errorf("stopped after %v", took)
		}
	}
	mustAsk(t, goGuest, "/ok")
}

// TestStackNamesFunctions checks that a guest that the host stops leaves a
// trace of its functions.
func TestStackNamesFunctions(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := ask(ctx, h, "/spin")
	var failure *Failure
	if !errors.As(err, &failure) || !strings.Contains(failure.Stack(), ".main.spin(") {
		t.Errorf("the stack does not name main.spin: %v", err)
	}
	if !errors.Is(err, outOfTime) {
		t.Errorf("the error does not wrap its reason: %v", err)
	}
}

// TestNonsenseThatIsHarmless checks calls with odd pointers that the ABI
// allows, since nothing is read or written there.
func TestNonsenseThatIsHarmless(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	for command, want := range map[string]string{
		"/pointer?uri short": "18", "/pointer?answer": "done", "/pointer?answer all": "0", "/host?3": "0 3", "/header?X-A=b": "", "/status?204": "",
		"/host?10000": "0 10000", "/body?0": "",
	} {
		if got := mustAsk(t, h, command); got != want {
			t.Errorf("%s: %q, want %q", command, got, want)
		}
	}
}

// TestHostPanic checks that a fault of the host's own in answering a call stops
// that request only.
func TestHostPanic(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	for name, calls := range map[string]Calls{
		"none": nil,
		"one that panics": answers(func(abi.Op, []byte) (abi.Status, []byte) {
			panic("a fault of the host's own")
		}),
	} {
		err := h.Serve(context.Background(), &Exchange{Request: Request{URI: "/host?1"}, Calls: calls})
		var failure *Failure
		if !errors.As(err, &failure) {
			t.Errorf("calls: %s: error %v, want a failure", name, err)
		}
		mustAsk(t, h, "/ok")
	}
}

// TestLimits checks that each limit of the options counts.
func TestLimits(t *testing.T) {
	t.Parallel()
	logger, logged := logTo()
	h := newProbe(t, func(o *Options) {
		o.Logger = logger
		o.Limits = Limits{MemoryPages: 256, Response: 3 << 20, HeaderBytes: 100, Log: 3000, HostCalls: 5}
	})
	for command, ok := range map[string]bool{
		"/body?3": true, "/body?4": false, "/host?5": true, "/host?6": false, "/grow?2": true, "/grow?14": false,
		"/header?X-A=" + strings.Repeat("b", 80): true, "/header?X-A=" + strings.Repeat("b", 100): false,
	} {
		if _, err := ask(context.Background(), h, command); (err == nil) != ok {
			t.Errorf("%.40s: error %v", command, err)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if _, err := ask(ctx, h, "/log"); err == nil {
		t.Error("logging without end came to an end")
	}
	if text := logged(); strings.Count(text, "more to the log than its limit") != 1 || strings.Contains(text, "logs without end") {
		t.Errorf("the log: %.300s", text)
	}
	mustAsk(t, h, "/say?hello")
	if text := logged(); !strings.Contains(text, "the handler printed") || !strings.Contains(text, "output=hello") {
		t.Errorf("what the handler printed is not in the log: %s", text)
	}
}
