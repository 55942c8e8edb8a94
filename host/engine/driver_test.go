package engine

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
	"github.com/tetratelabs/wazero/api"
)

// hostModules are those that guests may import from.
var hostModules = []string{httpModule, abi.Module, wasiModule}

// driverModule is a handler that exports a function for each one of the host,
// which calls it with its own parameters: tests call the host through it.
func driverModule(e *Engine) (wasm []byte, names []string) {
	letters := map[api.ValueType]string{api.ValueTypeI32: "i", api.ValueTypeI64: "l"}
	text := func(types []api.ValueType) (s string) {
		for _, t := range types {
			s += letters[t]
		}
		return s
	}
	var m Module
	type imported struct{ name, params, results string }
	var list []imported
	for _, module := range hostModules {
		functions := e.runtime.Module(module).ExportedFunctionDefinitions()
		var sorted []string
		for name := range functions {
			sorted = append(sorted, name)
		}
		slices.Sort(sorted)
		for _, name := range sorted {
			f := imported{module + "." + name, text(functions[name].ParamTypes()), text(functions[name].ResultTypes())}
			m.Import(module, name, f.params, f.results)
			list = append(list, f)
		}
	}
	m.Memory(2, 4)
	for i, f := range list {
		var code []byte
		for p := range len(f.params) {
			code = append(code, Op(LocalGet, uint32(p))...)
		}
		m.Export(f.name, KindFunction, m.Func(f.params, f.results, "", code, Op(Call, uint32(i))))
		names = append(names, f.name)
	}
	m.Export(exportHandleReq, KindFunction, m.Func("", "l", "", I64(0)))
	m.Export(exportHandleResp, KindFunction, m.Func("ii", "", ""))
	m.Custom(abi.ManifestSection, []byte(someManifest))
	return m.Bytes(), names
}

// driver is a sandbox of driverModule in the middle of a request.
type driver struct {
	t       testing.TB
	handler *Handler
	s       *sandbox
	x       *Exchange
	logged  []string
}

// newDriver loads the module and begins a request.
func newDriver(t testing.TB, x *Exchange) *driver {
	t.Helper()
	e := newEngine(t, nil)
	wasm, _ := driverModule(e)
	d := &driver{t: t, handler: load(t, e, wasm), x: x}
	s, err := d.handler.clone()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	d.s = s
	d.begin(context.Background())
	return d
}

// begin makes d.x the request.
func (d *driver) begin(ctx context.Context) *call {
	return d.s.begin(ctx, d.x, d.handler.manifest.Config, d.handler.limits, func(level int32, message string) {
		d.logged = append(d.logged, string('0'+level)+" "+message)
	})
}

// call calls a function of the host by its name. Strings among the arguments
// are put into memory and become two arguments, offset and length.
func (d *driver) call(name string, arguments ...any) (uint64, error) {
	d.t.Helper()
	if !strings.Contains(name, ".") {
		name = httpModule + "." + name
	}
	f := d.s.module.ExportedFunction(name)
	if f == nil {
		d.t.Fatalf("the host has no function %s", name)
	}
	var stack []uint64
	at := uint32(1000)
	for _, a := range arguments {
		switch a := a.(type) {
		case int:
			stack = append(stack, uint64(uint32(a)))
		case string:
			if !d.s.module.Memory().WriteString(at, a) {
				d.t.Fatalf("an argument of %d bytes has no room", len(a))
			}
			stack = append(stack, uint64(at), uint64(len(a)))
			at += uint32(len(a))
		}
	}
	d.s.fuel.Set(fuelShare)
	results, err := f.Call(&d.s.call, stack...)
	if err != nil || len(results) == 0 {
		return 0, err
	}
	return results[0], nil
}

// must is call where it must succeed.
func (d *driver) must(name string, arguments ...any) uint64 {
	d.t.Helper()
	r, err := d.call(name, arguments...)
	if err != nil {
		d.t.Fatalf("%s%q: %v", name, arguments, err)
	}
	return r
}

// fails checks that a call is a fault of the guest, with a reason.
func (d *driver) fails(reason, name string, arguments ...any) {
	d.t.Helper()
	_, err := d.call(name, arguments...)
	if err == nil || newFailure("driver", err, "").Cause != CauseFault || !strings.Contains(err.Error(), reason) {
		d.t.Errorf("%s%.100q: error %v, want a fault with %q", name, arguments, err, reason)
	}
}

// Where the driver lets functions write, and how much fits there.
const (
	bufferAt   = 60_000
	bufferSize = 5_000
)

// text calls a function that writes a string to a buffer.
func (d *driver) text(name string, arguments ...any) string {
	d.t.Helper()
	n := d.must(name, append(arguments, bufferAt, bufferSize)...)
	return d.memory(bufferAt, uint32(n))
}

// memory is what lies in the guest's memory.
func (d *driver) memory(at, n uint32) string {
	d.t.Helper()
	b, ok := d.s.module.Memory().Read(at, n)
	if !ok {
		d.t.Fatalf("%d bytes at %d are outside the memory", n, at)
	}
	return string(b)
}
