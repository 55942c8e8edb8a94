package engine

import (
	"context"
	"errors"
	"net/http"
	"testing"

	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// around is a handler that lets the next one answer and then shows, in headers
// of the response, what handle_response was told, and that its memory is still
// that of handle_request.
func around(ctxNext int64) []byte {
	var m Module
	header := m.Import(httpModule, "set_header_value", "iiiii", "")
	status := m.Import(httpModule, "get_status_code", "", "i")
	write := m.Import(httpModule, "write_body", "iii", "")
	read := m.Import(httpModule, "read_body", "iii", "l")
	features := m.Import(httpModule, "enable_features", "i", "i")
	m.Memory(1, 0)
	m.Data(0, "X-Context")
	m.Data(16, "X-Status")
	m.Data(32, "X-Error")
	m.Data(48, "X-Kept")
	m.Data(64, "front ")
	m.Data(80, "X-Features")
	letter := func(nameAt, nameLen int32, value ...[]byte) []byte { // the value as one letter, from "0" on
		return Ops(I32(200), Ops(value...), I32('0'), Op(I32Add), []byte{0x3a, 0, 0}, // i32.store8
			I32(kindResponse), I32(nameAt), I32(nameLen), I32(200), I32(1), Op(Call, header))
	}
	m.Export(exportInitialize, KindFunction, m.Func("", "", "", I32(4), Op(Call, features), Op(Drop)))
	m.Export(exportHandleReq, KindFunction, m.Func("", "l", "",
		I32(300), I32(5), Op(I32Store, 2, 0),
		I32(kindRequest), I32(64), I32(6), Op(Call, write),
		I32(kindResponse), I32(64), I32(6), Op(Call, write), // for nobody: the next handler answers
		I32(kindResponse), I32(400), I32(3), Op(Call, read), Op(Drop),
		I64(ctxNext)))
	m.Export(exportHandleResp, KindFunction, m.Func("ii", "", "",
		letter(0, 9, Op(LocalGet, 0)),
		letter(16, 8, Op(Call, status), I32(200), Op(I32Sub)),
		letter(32, 7, Op(LocalGet, 1)),
		letter(48, 6, I32(300), Op(I32Load, 2, 0)),
		letter(80, 10, I32(1), Op(Call, features)),
		// The body of the next handler behind "front ".
		I32(kindResponse), I32(400), I32(100), Op(Call, read), []byte{0xa7}, I32(500), []byte{0x21, 1}, Op(LocalSet, 0), // i32.wrap_i64
		I32(kindResponse), I32(64), I32(6), Op(Call, write),
		I32(kindResponse), I32(400), Op(LocalGet, 0), Op(Call, write)))
	m.Custom("lectern.manifest", []byte(someManifest))
	return m.Bytes()
}

// TestNext checks the way through handle_response.
func TestNext(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	failed := errors.New("the next handler failed")
	answer := func(status int, err error) func(context.Context, *Exchange) error {
		return func(_ context.Context, x *Exchange) error {
			if string(x.Request.Body) != "front " {
				return errors.New("the next handler sees another body: " + string(x.Request.Body))
			}
			x.Response.Status = status
			x.Response.Body = []byte("body of the next")
			return err
		}
	}
	for _, tt := range []struct {
		name, headers, body string
		ctxNext             int64
		next                func(context.Context, *Exchange) error
		status              int
		err                 error
	}{
		{"next", "7 1 0 5 5", "front body of the next", 7<<32 | 1, answer(201, nil), 201, nil},
		{"next fails", "0 6 1 5 5", "front body of the next", 1, answer(206, failed), 206, failed},
		{"no next", "9 \xfc 0 5 5", "front front ", 9<<32 | 1, nil, 404, nil},
		{"complete", "    ", "front ", 9 << 32, answer(500, failed), 200, nil},
		{"complete with an odd number", "    ", "front ", 9<<32 | 9, answer(500, failed), 200, nil},
	} {
		h := load(t, e, around(tt.ctxNext))
		for range 2 { // the second request finds nothing of the first
			x := &Exchange{Request: Request{Header: http.Header{}}, Next: tt.next}
			if err := h.Serve(context.Background(), x); !errors.Is(err, tt.err) {
				t.Errorf("%s: error %v, want %v", tt.name, err, tt.err)
			}
			got := ""
			for i, name := range []string{"X-Context", "X-Status", "X-Error", "X-Kept", "X-Features"} {
				if i > 0 {
					got += " "
				}
				got += x.Response.Header.Get(name)
			}
			if got != tt.headers || x.Response.Status != tt.status || string(x.Response.Body) != tt.body {
				t.Errorf("%s: %q with status %d and body %q", tt.name, got, x.Response.Status, x.Response.Body)
			}
		}
	}
}

// TestNextThatPanics checks that a panic of the host's own, on the way through
// the next handler, does not put a sandbox back that is in the middle of a
// request.
func TestNextThatPanics(t *testing.T) {
	t.Parallel()
	e := newEngine(t, func(o *Options) { o.Sandboxes = 1 })
	h := load(t, e, around(1))
	s := idle(h)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = h.Serve(context.Background(), &Exchange{Next: func(context.Context, *Exchange) error { panic("oh") }})
	}()
	if err := h.Serve(context.Background(), &Exchange{}); err != nil || idle(h) == s {
		t.Errorf("error %v; the sandbox was kept: %v", err, idle(h) == s)
	}
}

// TestBothFailuresAreTold loses neither that of the next handler nor that of
// the guest's own handle_response, and blames the guest for its own alone.
func TestBothFailuresAreTold(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	h := load(t, e, around(1))
	next := &Failure{Handler: "behind", Cause: CausePanic, Err: errors.New("oh")}
	serve := func(header http.Header) error {
		return h.Serve(context.Background(), &Exchange{Request: Request{Header: http.Header{}}, Next: func(_ context.Context, x *Exchange) error {
			x.Request.Body, x.Response.Header = nil, header
			return next
		}})
	}
	var failure *Failure
	if err := serve(http.Header{}); !errors.As(err, &failure) || failure != next {
		t.Errorf("the next handler alone failed: %v", err)
	}
	tooMuch := http.Header{"X-Long": {string(make([]byte, DefaultLimits.HeaderBytes))}}
	err := serve(tooMuch)
	if !errors.As(err, &failure) || failure.Handler == "behind" || failure.Cause != CauseFault || !errors.Is(err, next) {
		t.Errorf("both failed: %v", err)
	}
}
