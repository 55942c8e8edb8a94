package engine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// starting is a handler that calls a function of the host while it starts, and
// traps if the answer is zero.
func starting(function string) []byte {
	var m Module
	module, name, _ := strings.Cut(function, ".")
	params, result := "iiiii", "l"
	if module == httpModule {
		params, result = "ii", "i"
	}
	f := m.Import(module, name, params, result)
	m.Memory(1, 0)
	code := []byte{}
	for range params {
		code = append(code, I32(16)...)
	}
	code = append(code, Op(Call, f)...)
	if result == "l" {
		code = append(code, 0xa7) // i32.wrap_i64
	}
	m.Export(exportInitialize, KindFunction, m.Func("", "", "", code, Op(I32Eqz), Op(If, Empty), Op(Unreachable), Op(End)))
	return handlerOf(&m)
}

// handlerOf adds to a module what every handler needs.
func handlerOf(m *Module) []byte {
	m.Export(exportHandleReq, KindFunction, m.Func("", "l", "", I64(0)))
	m.Export(exportHandleResp, KindFunction, m.Func("ii", "", ""))
	m.Custom("lectern.manifest", []byte(someManifest))
	return m.Bytes()
}

// unloadable are modules that cannot be handlers, and what must be said.
var unloadable = []struct {
	name, reason string
	build        func(m *Module) []byte
}{
	{"nothing", "malformed module", func(*Module) []byte { return nil }},
	{"text", "malformed module", func(*Module) []byte { return []byte("<html>") }},
	{"refused by the rewriter", "table.set", func(m *Module) []byte {
		m.Table(1)
		m.Func("", "", "", I32(0), Op(RefNull, 0x70), Op(0x26, 0))
		return handlerOf(m)
	}},
	{"wrong types", "cannot be compiled", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Func("", "i", "", I64(1))
		return handlerOf(m)
	}},
	{"no manifest", "no custom section lectern.manifest: build it with `task guests`", func(m *Module) []byte { return m.Bytes() }},
	{"two manifests", "2 custom sections lectern.manifest", func(m *Module) []byte {
		m.Custom("lectern.manifest", []byte(someManifest))
		return handlerOf(m)
	}},
	{"a manifest that is no JSON", "manifest:", func(m *Module) []byte { m.Custom("lectern.manifest", []byte("{")); return m.Bytes() }},
	{"a manifest with faults", "no route", func(m *Module) []byte { m.Custom("lectern.manifest", []byte(`{"abi":1,"name":"x"}`)); return m.Bytes() }},
	{"another version of the ABI", "abi is 2; this host speaks version 1", func(m *Module) []byte {
		m.Custom("lectern.manifest", []byte(`{"abi":2,"name":"x","routes":[{"pattern":"GET /"}]}`))
		return m.Bytes()
	}},
	{"no memory", `handler small: it does not export its memory as "memory"`, handlerOf},
	{"a memory of another name", "does not export its memory", func(m *Module) []byte {
		m.Replace = map[byte][]byte{SecMemory: {1, 0, 1}}
		return handlerOf(m)
	}},
	{"a memory over the limit", "begins with 1025 pages of 64 KiB, the limit is 1024", func(m *Module) []byte { m.Memory(1025, 0); return handlerOf(m) }},
	{"no functions", "it does not export the function handle_request", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Custom("lectern.manifest", []byte(someManifest))
		return m.Bytes()
	}},
	{"signature of handle_request", "export handle_request has the wrong signature", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Export(exportHandleReq, KindFunction, m.Func("", "i", "", I32(0)))
		m.Export(exportHandleResp, KindFunction, m.Func("ii", "", ""))
		m.Custom("lectern.manifest", []byte(someManifest))
		return m.Bytes()
	}},
	{"signature of handle_response", "export handle_response has the wrong signature", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Export(exportHandleReq, KindFunction, m.Func("", "l", "", I64(0)))
		m.Export(exportHandleResp, KindFunction, m.Func("i", "", ""))
		m.Custom("lectern.manifest", []byte(someManifest))
		return m.Bytes()
	}},
	{"signature of _initialize", "export _initialize has the wrong signature", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Export(exportInitialize, KindFunction, m.Func("i", "", ""))
		return handlerOf(m)
	}},
	{"an export that is no function", "it does not export the function handle_request", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Export(exportHandleReq, KindMemory, 0)
		m.Custom("lectern.manifest", []byte(someManifest))
		return m.Bytes()
	}},
	{"imports of other hosts", "imports env.abort, which this host does not have", func(m *Module) []byte {
		m.Import("env", "abort", "", "")
		m.Memory(1, 0)
		return handlerOf(m)
	}},
	{"a function that the host lacks", `"get_cookie" is not exported in module "http_handler"`, func(m *Module) []byte {
		m.Import(httpModule, "get_cookie", "", "")
		m.Memory(1, 0)
		return handlerOf(m)
	}},
	{"a function of another signature", "signature mismatch", func(m *Module) []byte {
		m.Import("lectern", "call", "i", "")
		m.Memory(1, 0)
		return handlerOf(m)
	}},
	{"data outside the memory", "4 bytes at 65533 lies outside", func(m *Module) []byte { m.Memory(1, 0); m.Data(65533, "data"); return handlerOf(m) }},
	{"a start that traps", "start-up (lectern:start) failed: wasm error: unreachable", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Start(m.Func("", "", "", Op(Unreachable)))
		return handlerOf(m)
	}},
	{"an _initialize that traps", "start-up (_initialize) failed", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Export(exportInitialize, KindFunction, m.Func("", "", "", Op(Unreachable)))
		return handlerOf(m)
	}},
	{"a _start that exits", "start-up (_start) failed: module closed with exit_code(0)", func(m *Module) []byte {
		exit := m.Import(wasiModule, "proc_exit", "i", "")
		m.Memory(1, 0)
		m.Export(exportStart, KindFunction, m.Func("", "", "", I32(0), Op(Call, exit)))
		return handlerOf(m)
	}},
	{"a warm-up that traps", "start-up (lectern_warm_up) failed", func(m *Module) []byte {
		m.Memory(1, 0)
		m.Export(warmUp, KindFunction, m.Func("", "", "", Op(Unreachable)))
		return handlerOf(m)
	}},
}

// TestUnloadable checks that each such module is refused with its reason, and
// that the engine is as usable as before and holds nothing of it.
func TestUnloadable(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	good := load(t, e, smallModule(func(*Module) []byte { return I64(0) }))
	for _, tt := range unloadable {
		var m Module
		h, err := e.Load(context.Background(), tt.build(&m))
		if h != nil || !strings.Contains(fmt.Sprint(err), tt.reason) {
			t.Errorf("%s: error %v, want %q", tt.name, err, tt.reason)
		}
		if err := good.Serve(context.Background(), &Exchange{}); err != nil {
			t.Fatalf("after %s: %v", tt.name, err)
		}
	}
	if len(e.handlers) != 1 {
		t.Errorf("the engine has %d handlers", len(e.handlers))
	}
}

// TestStartUp checks in which order a module's parts start, and that all of it
// is in the image of every sandbox.
func TestStartUp(t *testing.T) {
	t.Parallel()
	var m Module
	write := m.Import(httpModule, "write_body", "iii", "")
	m.Memory(1, 1)
	m.Data(100, "-")
	g := m.Global("i", true, I32(100))
	letter := func(l byte) uint32 { // adds a letter behind those in memory
		return m.Func("", "", "", Op(GlobalGet, g), I32(int32(l)), []byte{0x3a, 0, 0}, Op(GlobalGet, g), I32(1), Op(I32Add), Op(GlobalSet, g))
	}
	m.Start(letter('s'))
	m.Export(warmUp, KindFunction, letter('w'))
	m.Export(exportInitialize, KindFunction, letter('i'))
	m.Export(exportStart, KindFunction, letter('n'))
	m.Export(exportHandleReq, KindFunction, m.Func("", "l", "", Op(Call, letter('r')),
		I32(1), I32(100), Op(GlobalGet, g), I32(100), Op(I32Sub), Op(Call, write), I64(0)))
	m.Export(exportHandleResp, KindFunction, m.Func("ii", "", ""))
	m.Custom("lectern.manifest", []byte(someManifest))
	h := load(t, newEngine(t, nil), m.Bytes())
	for range 3 {
		x := &Exchange{}
		if err := h.Serve(context.Background(), x); err != nil || string(x.Response.Body) != "siwr" {
			t.Errorf("%q, %v, want siwr: start function, _initialize, warm-up, request", x.Response.Body, err)
		}
	}
}

// TestMemoryAtItsMaximum checks that a guest can grow to the maximum of its
// module, not beyond, and is small again at the next request.
func TestMemoryAtItsMaximum(t *testing.T) {
	t.Parallel()
	for _, copies := range []bool{false, true} {
		seen := &tally{}
		e := newEngine(t, func(o *Options) { o.Sandboxes, o.CopyImages, o.Observer = 1, copies, seen })
		var m Module
		status := m.Import(httpModule, "set_status_code", "i", "")
		m.Memory(2, 5)
		grow := func(pages int32) []byte { return Ops(I32(pages), Op(MemoryGrow, 0)) }
		// 200 + size before + 10 if it could grow too far + 100 if the new pages were not zero
		m.Export(exportHandleReq, KindFunction, m.Func("", "l", "", I32(200), grow(3), Op(I32Add),
			grow(1), I32(-1), []byte{0x47}, I32(10), Op(I32Mul), Op(I32Add), // i32.ne
			I32(4*wasmPage), Op(I32Load, 2, 0), I32(100), Op(I32Mul), Op(I32Add), Op(Call, status),
			I32(4*wasmPage), I32(1), Op(I32Store, 2, 0), I64(0)))
		m.Export(exportHandleResp, KindFunction, m.Func("ii", "", ""))
		m.Custom("lectern.manifest", []byte(someManifest))
		h := load(t, e, m.Bytes())
		for range 4 {
			x := &Exchange{}
			if err := h.Serve(context.Background(), x); err != nil || x.Response.Status != 202 {
				t.Errorf("copies %v: status %d, %v, want 202", copies, x.Response.Status, err)
			}
		}
		if seen.started != 1 {
			t.Errorf("copies %v: %d sandboxes were made", copies, seen.started)
		}
	}
}

// TestSameModuleTwice checks that two handlers of one module do not share their
// fate.
func TestSameModuleTwice(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	wasm := smallModule(func(*Module) []byte { return I64(0) })
	a, b := load(t, e, wasm), load(t, e, wasm)
	if err := a.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := a.Serve(context.Background(), &Exchange{}); err == nil {
		t.Error("a closed handler answers")
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := b.Serve(context.Background(), &Exchange{}); err != nil {
				t.Errorf("the other handler: %v", err)
			}
		})
	}
	all.Wait()
}
