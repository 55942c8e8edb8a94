package rewrite_test

import (
	"slices"
	"testing"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// program is a module with calls that show how it behaves.
type program struct {
	name  string
	build func(m *Module)
	calls []invocation
}

// say calls the imported function with an i64 on the stack.
func say() []byte { return Op(Call, 0) }

// indirect adds functions 10 and 20 and an export that calls what the table
// holds at an index.
func indirect(m *Module) (ten, twenty uint32) {
	ten = m.Func("", "i", "", I32(10))
	twenty = m.Func("", "i", "", I32(20))
	at := m.Func("i", "i", "", Op(LocalGet, 0), Op(CallIndirect, m.Type("", "i"), 0))
	m.Export("at", KindFunction, at)
	m.Table(6)
	return ten, twenty
}

// factorial counts a loop in a local variable.
var factorial = Ops(I64(1), Op(LocalSet, 1),
	Op(Block, Empty), Op(Loop, Empty), Op(LocalGet, 0), []byte{0x50}, Op(BrIf, 1), // i64.eqz
	Op(LocalGet, 0), Op(LocalGet, 1), []byte{0x7e}, Op(LocalSet, 1), // i64.mul
	Op(LocalGet, 0), I64(-1), Op(I64Add), Op(LocalSet, 0), Op(Br, 0), Op(End), Op(End), Op(LocalGet, 1))

// programs are modules of which rewriting must not change a thing that they
// can notice.
var programs = []program{
	{"calls around imports", func(m *Module) {
		m.Import("env", "say", "l", "")
		a := m.Func("l", "l", "", Op(LocalGet, 0), say(), Op(LocalGet, 0), I64(1), Op(I64Add))
		b := m.Func("l", "l", "", Op(LocalGet, 0), Op(Call, a), Op(Call, a))
		m.Export("a", KindFunction, a)
		m.Export("b", KindFunction, b)
		m.Export("say", KindFunction, 0)
	}, []invocation{do("a", 4), do("b", 7), do("say", 3)}},
	{"loops and recursion", func(m *Module) {
		m.Export("factorial", KindFunction, m.Func("l", "l", "l", factorial))
		m.Export("fibonacci", KindFunction, m.Func("i", "i", "",
			Op(LocalGet, 0), I32(2), []byte{0x48}, Op(If, 0x7f), Op(LocalGet, 0), Op(Else), // i32.lt_s
			Op(LocalGet, 0), I32(1), Op(I32Sub), Op(Call, 1), Op(LocalGet, 0), I32(2), Op(I32Sub), Op(Call, 1), Op(I32Add), Op(End)))
	}, []invocation{do("factorial", 20), do("factorial", 0), do("fibonacci", 15)}},
	{"blocks with parameters and br_table", func(m *Module) {
		pair := m.Type("ii", "i")
		m.Export("pick", KindFunction, m.Func("i", "i", "",
			Op(Block, Empty), Op(Block, Empty), Op(Block, Empty), Op(LocalGet, 0), Op(0x0e, 2, 0, 1, 2), Op(End),
			I32(100), Op(Return), Op(End), I32(200), Op(Return), Op(End), I32(3), I32(4), Op(Block, pair), Op(I32Mul), Op(End)))
	}, []invocation{do("pick", 0), do("pick", 1), do("pick", 2), do("pick", 99)}},
	{"loops with parameters", func(m *Module) {
		keep := m.Type("i", "i")
		m.Export("sum", KindFunction, m.Func("i", "i", "", // 0 and the number go round: s += n; n--
			I32(0), Op(Loop, keep), Op(LocalGet, 0), Op(I32Add),
			Op(LocalGet, 0), I32(1), Op(I32Sub), Op(LocalTee, 0), Op(BrIf, 0), Op(End)))
	}, []invocation{do("sum", 1), do("sum", 100), do("sum", 1000)}},
	{"effects before the first call", func(m *Module) {
		m.Memory(1, 0)
		g := m.Global("i", true, I32(0))
		m.Export("count", KindFunction, m.Func("i", "i", "i", Op(GlobalGet, g), I32(1), Op(I32Add), Op(GlobalSet, g),
			Op(Block, Empty), I32(8), I32(8), Op(I32Load, 2, 0), I32(3), Op(I32Add), Op(I32Store, 2, 0), I32(77), Op(LocalSet, 0), Op(End),
			Op(LocalGet, 0), Op(Call, 1), Op(GlobalGet, g), Op(I32Add)))
		inner := m.Func("i", "i", "", Op(LocalGet, 0), Op(If, 0x7f), Op(GlobalGet, g), Op(Else), I32(0), Op(End))
		m.Export("many", KindFunction, m.Func("i", "i", "", countdown(I32(1), Op(Call, 0), Op(Drop)), Op(GlobalGet, g), Op(Call, inner)))
	}, []invocation{do("count", 5), do("many", 300), do("count", 5)}},
	{"blocks before the first loop", func(m *Module) {
		m.Memory(1, 0)
		m.Export("run", KindFunction, m.Func("i", "i", "", I32(16), I32(16), Op(I32Load, 2, 0), I32(1), Op(I32Add), Op(I32Store, 2, 0),
			Op(Block, Empty), Op(Block, Empty), countdown(nops(70)), Op(End), nops(2000), Op(End), I32(16), Op(I32Load, 2, 0)))
		m.Export("twice", KindFunction, m.Func("i", "i", "", Op(LocalGet, 0), Op(Call, 0), Op(Drop), Op(LocalGet, 0), Op(Call, 0)))
	}, []invocation{do("run", 1), do("run", 500), do("twice", 99)}},
	{"results by return", func(m *Module) {
		m.Export("many", KindFunction, m.Func("ldf", "dl", "", Op(LocalGet, 1), Op(LocalGet, 0), Op(Return)))
		m.Export("call", KindFunction, m.Func("ldf", "dl", "", Op(Block, m.Type("", "dl")), Op(LocalGet, 0), Op(LocalGet, 1), Op(LocalGet, 2), Op(Call, 0), Op(End)))
	}, slices.Repeat([]invocation{do("many", 7, 8, 9), do("call", 1, 2, 3)}, 50)},
	{"globals", func(m *Module) {
		m.Global("i", false, I32(7))
		count := m.Global("l", true, I64(-5))
		m.Global("d", true, []byte{0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f})
		m.Global("f", true, []byte{0x43, 0, 0, 0x80, 0x3f})
		m.Export("next", KindFunction, m.Func("", "l", "", Op(GlobalGet, count), I64(1), Op(I64Add), Op(GlobalSet, count), Op(GlobalGet, count)))
		m.Export("fixed", KindFunction, m.Func("", "i", "", Op(GlobalGet, 0)))
		m.Export("double", KindFunction, m.Func("", "d", "", Op(GlobalGet, 2)))
	}, []invocation{do("next"), do("next"), do("fixed"), do("double")}},
	{"start function", func(m *Module) {
		m.Import("env", "say", "l", "")
		m.Memory(1, 0)
		m.Data(8, "data before start")
		g := m.Global("i", true, I32(0))
		m.Start(m.Func("", "", "", I32(0), Op(I64Load, 0, 8), say(), I32(5), Op(GlobalSet, g)))
		m.Export("get", KindFunction, m.Func("", "i", "", Op(GlobalGet, g)))
	}, []invocation{do("get")}},
	{"start function that traps", func(m *Module) { m.Start(m.Func("", "", "", Op(Unreachable))) }, nil},
	{"data", func(m *Module) {
		m.Memory(1, 2)
		m.Data(0, "hello")
		m.Data(3, "LOVE") // over the end of the first
		m.Data(65536-4, "last")
		m.Data(16, "")
		m.Export("grow", KindFunction, m.Func("i", "i", "", Op(LocalGet, 0), Op(MemoryGrow, 0)))
		m.Export("size", KindFunction, m.Func("", "i", "", Op(MemorySize, 0)))
	}, []invocation{do("size"), do("grow", 1), do("size")}},
	// An active segment is empty after the start, says the specification;
	// wazero keeps its content, so only its emptiness cannot be compared.
	{"memory.init", func(m *Module) {
		m.Memory(1, 0)
		m.CountData = true
		m.Data(0, "active, so gone after the start")
		m.DataRaw([]byte{1}, Sized([]byte("passive")))
		m.DataRaw(U32(2), U32(0), I32(100), Op(End), Sized([]byte("explicit memory")))
		for i, name := range []string{"active", "passive", "explicit"} {
			m.Export(name, KindFunction, m.Func("iii", "", "", Op(LocalGet, 0), Op(LocalGet, 1), Op(LocalGet, 2), Bulk(MemoryInit, uint32(i), 0)))
		}
	}, []invocation{do("passive", 200, 1, 4), do("passive", 0, 0, 8), do("active", 0, 0, 0), do("explicit", 0, 0, 0)}},
	{"bulk memory", func(m *Module) {
		m.Memory(2, 0)
		m.Data(10, "0123456789")
		m.Export("fill", KindFunction, m.Func("iii", "", "", Op(LocalGet, 0), Op(LocalGet, 1), Op(LocalGet, 2), Bulk(MemoryFill, 0)))
		m.Export("copy", KindFunction, m.Func("iii", "", "", Op(LocalGet, 0), Op(LocalGet, 1), Op(LocalGet, 2), Bulk(MemoryCopy, 0, 0)))
	}, []invocation{do("copy", 12, 10, 8), do("fill", 1000, 7, 70000), do("fill", 131072, 1, 0), do("fill", 131072, 1, 1), do("copy", 0, 1, 1<<32-1)}},
	{"traps", func(m *Module) {
		m.Memory(1, 0)
		m.Export("unreachable", KindFunction, m.Func("", "", "", Op(Unreachable)))
		m.Export("divide", KindFunction, m.Func("ii", "i", "", Op(LocalGet, 0), Op(LocalGet, 1), []byte{0x6d}))
		m.Export("outside", KindFunction, m.Func("", "i", "", I32(-1), Op(I32Load, 0, 0)))
		m.Export("deep", KindFunction, m.Func("", "", "", Op(Call, 3)))
	}, []invocation{do("unreachable"), do("divide", 7, 2), do("divide", 7, 0), do("outside"), do("deep"), do("divide", 9, 3)}},
}

// tables are programs with each kind of element segment.
var tables = []program{
	{"kind 0: active, function indices", func(m *Module) {
		ten, twenty := indirect(m)
		m.Element(U32(0), I32(1), Op(End), U32(2), U32(ten), U32(twenty))
	}, []invocation{do("at", 1), do("at", 2), do("at", 0), do("at", 6)}},
	{"kinds 1, 3, 5 and 7: passive and declared", func(m *Module) {
		ten, twenty := indirect(m)
		m.Element(U32(1), []byte{0}, U32(1), U32(ten))
		m.Element(U32(3), []byte{0}, U32(1), U32(twenty))
		m.Element(U32(5), []byte{0x70}, U32(1), Op(RefFunc, ten), Op(End))
		m.Element(U32(7), []byte{0x70}, U32(2), Op(RefFunc, twenty), Op(End), Op(RefNull, 0x70), Op(End))
		m.Export("null", KindFunction, m.Func("", "i", "", Op(RefFunc, ten), []byte{0xd1}))
	}, []invocation{do("at", 1), do("null")}},
	{"kind 2: active, table named", func(m *Module) {
		ten, _ := indirect(m)
		m.Element(U32(2), U32(0), I32(5), Op(End), []byte{0}, U32(1), U32(ten))
	}, []invocation{do("at", 5), do("at", 4)}},
	{"kind 4: active, expressions", func(m *Module) {
		ten, twenty := indirect(m)
		m.Element(U32(4), I32(0), Op(End), U32(3), Op(RefFunc, twenty), Op(End), Op(RefNull, 0x70), Op(End), Op(RefFunc, ten), Op(End))
	}, []invocation{do("at", 0), do("at", 1), do("at", 2)}},
	{"kind 6: active, table named, expressions", func(m *Module) {
		_, twenty := indirect(m)
		m.Element(U32(6), U32(0), I32(3), Op(End), []byte{0x70}, U32(1), Op(RefFunc, twenty), Op(End))
	}, []invocation{do("at", 3)}},
	{"table.get, table.size and a global with a function", func(m *Module) {
		m.Import("env", "say", "l", "")
		ten, twenty := indirect(m)
		m.Global("r", false, Op(RefFunc, twenty))
		m.Element(U32(0), I32(0), Op(End), U32(1), U32(ten))
		m.Export("size", KindFunction, m.Func("", "i", "", Bulk(TableSize, 0)))
		m.Export("empty", KindFunction, m.Func("i", "i", "", Op(LocalGet, 0), Op(0x25, 0), []byte{0xd1}))
		m.Export("null", KindFunction, m.Func("", "i", "", Op(GlobalGet, 0), []byte{0xd1}))
	}, []invocation{do("size"), do("empty", 0), do("empty", 1), do("null"), do("at", 0)}},
}

// TestSemantics runs modules as they are and rewritten; nothing that they
// answer, say or leave in memory may differ.
func TestSemantics(t *testing.T) {
	t.Parallel()
	for _, p := range slices.Concat(programs, tables) {
		t.Run(p.name, func(t *testing.T) {
			t.Parallel()
			var m Module
			p.build(&m)
			want := runOriginal(t, m.Bytes(), p.calls)
			module, err := rewrite.Rewrite(m.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got := runRewritten(t, module, p.calls)
			if !slices.Equal(got.lines, want.lines) {
				t.Errorf("rewritten:\n%q\nas it was:\n%q", got.lines, want.lines)
			}
			t.Logf("%q, %d units of fuel, %d yields", got.lines, got.fuelUsed, got.yields)
		})
	}
}
