package engine

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// late is how much after its deadline a guest may be stopped on a loaded
// machine; the measured times are in the log of the test.
const late = 250 * time.Millisecond

// busy are commands that would never end, and the cause that must be given.
var busy = map[string]string{
	"/spin": CauseTimeout, "/calls": CauseTimeout, "/fill": CauseTimeout, "/busy-clock": CauseTimeout, "/sleep": CauseTimeout,
	"/print": CauseTimeout, "/log": CauseTimeout, "/draw": CauseTimeout, "/list": CauseTimeout,
}

// TestDeadlines stops guests that would never end.
func TestDeadlines(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	for command, cause := range busy {
		t.Run(command[1:], func(t *testing.T) {
			t.Parallel()
			stopsInTime(t, cause, 60*time.Millisecond, func(ctx context.Context) error {
				_, err := ask(ctx, h, command)
				return err
			})
			mustAsk(t, h, "/ok")
		})
	}
}

// stopsInTime checks that f, which would not end, fails for a cause when its
// time is up. The machine may be busy with other things, so the best of a few
// tries counts: what cannot be stopped is late in each.
func stopsInTime(t *testing.T, cause string, given time.Duration, f func(context.Context) error) {
	t.Helper()
	over := time.Duration(0)
	for range 5 {
		ctx, cancel := context.WithTimeout(context.Background(), given)
		begin := time.Now()
		err := f(ctx)
		over = time.Since(begin) - given
		cancel()
		var failure *Failure
		if !errors.As(err, &failure) || failure.Cause != cause {
			t.Errorf("error %v, want a failure by %s", err, cause)
		}
		t.Logf("stopped %v after its deadline", over)
		if over <= late*slowness {
			return
		}
	}
	t.Errorf("it was stopped only %v after its deadline", over)
}

// TestReadersWhoLeave checks that a guest is stopped when nobody waits for it
// any more.
func TestReadersWhoLeave(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	for _, command := range []string{"/spin", "/sleep"} {
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(30*time.Millisecond, cancel)
		begin := time.Now()
		_, err := ask(ctx, h, command)
		var failure *Failure
		if !errors.As(err, &failure) || failure.Cause != CauseCanceled {
			t.Errorf("%s: error %v, want a failure by %s", command, err, CauseCanceled)
		}
		if took := time.Since(begin); took > 30*time.Millisecond+late*slowness {
			t.Errorf("%s: it was stopped after %v", command, took)
		}
	}
	mustAsk(t, h, "/ok")
}

// TestGarbageCollector checks that the collector, which must stop every
// goroutine, gets its turn while guests spin on all processors.
func TestGarbageCollector(t *testing.T) {
	t.Parallel()
	_, h := shared(t)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	spinners := []string{"/spin", "/calls", "/fill", "/spin"}
	for _, command := range spinners {
		go func() {
			_, err := ask(ctx, h, command)
			done <- err
		}()
	}
	time.Sleep(20 * time.Millisecond)
	// The machine may be busy with other things: a guest that does not yield
	// holds up every collection, other work only some.
	shortest := time.Hour
	for range 5 {
		begin := time.Now()
		runtime.GC()
		shortest = min(shortest, time.Since(begin))
	}
	cancel()
	for range spinners {
		if err := <-done; err == nil {
			t.Error("a spinning guest came to an end")
		}
	}
	t.Logf("the shortest of five collections took %v", shortest)
	if shortest > time.Second*slowness {
		t.Errorf("every collection took %v or more while guests were spinning", shortest)
	}
}

// TestHostileCode stops modules that the Go compiler would not make: work that
// is not in loops of their own, or hidden behind cheap ones.
func TestHostileCode(t *testing.T) {
	t.Parallel()
	fill := Ops(I32(0), I32(1), I32(512<<16), Bulk(MemoryFill, 0))
	for name, code := range map[string]func(m *Module, self uint32) []byte{
		"fills without a loop": func(*Module, uint32) []byte {
			return Ops(I32(512-16), Op(MemoryGrow, 0), Op(Drop), []byte(strings.Repeat(string(fill), 300)))
		},
		"long turns of a loop": func(*Module, uint32) []byte { return Ops(Op(Loop, Empty), divisions(8_000), Op(Br, 0), Op(End)) },
		"calls of itself": func(_ *Module, self uint32) []byte {
			return Ops(Op(Loop, Empty), Op(Call, self-1), Op(Drop), Op(Br, 0), Op(End))
		},
		"a tree of calls": func(m *Module, _ uint32) []byte { return Op(Call, tree(m, 40)) },
		"a tree of indirect calls": func(m *Module, _ uint32) []byte {
			m.Table(41)
			first := m.Func("", "", "")
			for i := range int32(40) {
				again := Ops(I32(i), Op(CallIndirect, m.Type("", ""), 0))
				m.Func("", "", "", again, again)
			}
			var all [][]byte
			for i := range uint32(41) {
				all = append(all, U32(first+i))
			}
			m.Element(U32(0), I32(0), Op(End), U32(41), Ops(all...))
			return Ops(I32(40), Op(CallIndirect, m.Type("", ""), 0))
		},
		"two that call each other": func(m *Module, self uint32) []byte {
			first := m.Func("i", "", "", branch(self+1))
			m.Func("i", "", "", branch(self))
			return Ops(I32(40), Op(Call, first))
		},
		"growing by no pages": func(*Module, uint32) []byte {
			return Ops(Op(Loop, Empty), I32(0), Op(MemoryGrow, 0), Op(Drop), Op(Br, 0), Op(End))
		},
		"failing to grow": func(*Module, uint32) []byte {
			return Ops(Op(Loop, Empty), I32(60_000), Op(MemoryGrow, 0), Op(Drop), Op(Br, 0), Op(End))
		},
		"an empty loop of ends": func(*Module, uint32) []byte {
			return Ops([]byte(strings.Repeat("\x03\x40", 200)), Op(Br, 199), []byte(strings.Repeat("\x0b", 200)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := small(t, func(m *Module) []byte {
				self := m.Func("", "i", "", I32(1), Op(I32Eqz))
				return Ops(code(m, self+1), I64(0))
			})
			stopsInTime(t, CauseTimeout, 30*time.Millisecond, func(ctx context.Context) error { return h.Serve(ctx, &Exchange{}) })
		})
	}
}

// divisions is code that divides so many times, which is slow for its length.
func divisions(n int) []byte {
	return Ops(I64(-1), []byte(strings.Repeat(string(Ops(I64(3), []byte{0x7f}, I64(-7), []byte{0x84})), n)), Op(Drop)) // i64.div_s, i64.or
}

// tree adds functions of which each calls the one before twice, and gives the
// last: 2^depth calls without a loop.
func tree(m *Module, depth int) uint32 {
	f := m.Func("", "", "")
	for range depth {
		f = m.Func("", "", "", Op(Call, f), Op(Call, f))
	}
	return f
}

// branch is the code of a function that calls another twice, with one less than
// its parameter, until that is 0.
func branch(other uint32) []byte {
	call := Ops(Op(LocalGet, 0), I32(1), Op(I32Sub), Op(Call, other))
	return Ops(Op(LocalGet, 0), Op(If, Empty), call, call, Op(End))
}

// small loads a module made by hand with an engine of its own; code is that of
// handle_request, made after the module's other parts.
func small(t testing.TB, code func(m *Module) []byte) *Handler {
	t.Helper()
	return load(t, newEngine(t, nil), smallModule(code))
}

// smallModule is a handler made by hand with a memory of 16 pages.
func smallModule(code func(m *Module) []byte) []byte {
	var m Module
	m.Memory(16, 0)
	body := code(&m)
	m.Export(exportHandleReq, KindFunction, m.Func("", "l", "", body))
	m.Export(exportHandleResp, KindFunction, m.Func("ii", "", ""))
	m.Custom("lectern.manifest", []byte(someManifest))
	return m.Bytes()
}
