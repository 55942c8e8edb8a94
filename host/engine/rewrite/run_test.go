package rewrite_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// share is the fuel that the tests' host gives at each yield. It is more than
// any one check takes and little enough for many yields.
const share = 40

// invocation is a call of an export in a test.
type invocation struct {
	name   string
	params []uint64
}

// do is a call of an export without much ado.
func do(name string, params ...uint64) invocation { return invocation{name, params} }

// trace is what could be seen of a module that ran: the results and traps of
// its calls, what it said to the host, and its memory.
type trace struct {
	lines  []string
	yields int
	// fuelUsed sums what the calls took, in units.
	fuelUsed int
}

// newRuntime gives a runtime with the modules that tests import. Both append
// to the trace that the context holds.
func newRuntime(t testing.TB) wazero.Runtime {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigCompiler().WithCoreFeatures(api.CoreFeaturesV2).
		WithCustomSections(true).WithMemoryLimitPages(128))
	t.Cleanup(func() { _ = r.Close(ctx) })
	say := api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
		tr := ctx.Value(traceKey{}).(*trace)
		tr.lines = append(tr.lines, fmt.Sprintf("says %d", stack[0]))
	})
	yield := api.GoModuleFunc(func(ctx context.Context, m api.Module, _ []uint64) {
		tr := ctx.Value(traceKey{}).(*trace)
		tr.yields++
		fuel := m.ExportedGlobal(rewrite.FuelExport).(api.MutableGlobal)
		tr.fuelUsed += share - int(int32(fuel.Get()))
		fuel.Set(share)
	})
	for _, f := range []struct {
		module, name string
		run          api.GoModuleFunc
		params       []api.ValueType
	}{{"env", "say", say, []api.ValueType{api.ValueTypeI64}}, {rewrite.YieldModule, rewrite.YieldFunction, yield, nil}} {
		if _, err := r.NewHostModuleBuilder(f.module).NewFunctionBuilder().WithGoModuleFunction(f.run, f.params, nil).
			Export(f.name).Instantiate(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// traceKey finds the trace in a context.
type traceKey struct{}

// runOriginal runs a module as it is.
func runOriginal(t testing.TB, wasm []byte, calls []invocation) *trace {
	t.Helper()
	tr := &trace{}
	ctx := context.WithValue(context.Background(), traceKey{}, tr)
	m, err := newRuntime(t).InstantiateWithConfig(ctx, wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		tr.lines = append(tr.lines, "does not start: "+strings.TrimPrefix(cause(err), "start function[0] failed: "))
		return tr
	}
	tr.calls(ctx, m, calls)
	return tr
}

// runRewritten runs a module as the engine would: rewritten, with the data
// written and the start function called by the host.
func runRewritten(t testing.TB, module *rewrite.Module, calls []invocation) *trace {
	t.Helper()
	tr := &trace{}
	ctx := context.WithValue(context.Background(), traceKey{}, tr)
	m, err := newRuntime(t).InstantiateWithConfig(ctx, module.Wasm, wazero.NewModuleConfig().WithStartFunctions())
	if err != nil {
		t.Fatalf("the rewritten module is refused: %v", err)
	}
	fuel := m.ExportedGlobal(rewrite.FuelExport).(api.MutableGlobal)
	fuel.Set(share)
	for _, d := range module.Data {
		if !m.Memory().Write(d.Offset, d.Data) {
			tr.lines = append(tr.lines, "does not start: data outside its memory")
			return tr
		}
	}
	if module.HasStart {
		if _, err := m.ExportedFunction(rewrite.StartExport).Call(ctx); err != nil {
			tr.lines = append(tr.lines, "does not start: "+cause(err))
			return tr
		}
	}
	tr.calls(ctx, m, calls)
	tr.fuelUsed += share - int(int32(fuel.Get()))
	return tr
}

func (tr *trace) calls(ctx context.Context, m api.Module, calls []invocation) {
	for _, c := range calls {
		results, err := m.ExportedFunction(c.name).Call(ctx, c.params...)
		line := fmt.Sprintf("%s%v = %v", c.name, c.params, results)
		if err != nil {
			line = fmt.Sprintf("%s%v: %s", c.name, c.params, cause(err))
		}
		tr.lines = append(tr.lines, line)
	}
	if mem := m.ExportedMemory("memory"); mem != nil {
		content, _ := mem.Read(0, mem.Size())
		tr.lines = append(tr.lines, fmt.Sprintf("memory of %d bytes with %x", mem.Size(), sum(content)))
	}
}

// sum is a checksum that notices moved bytes.
func sum(b []byte) (s uint64) {
	for len(b) >= 8 {
		s = s*1_000_003 + binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	return s
}

// cause is an error's first line.
func cause(err error) string {
	first, _, _ := strings.Cut(err.Error(), "\n")
	return strings.TrimSuffix(first, " (recovered by wazero)")
}
