package rewrite_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// refused are modules whose state could not be restored, or that would cost
// too much, and a part of the reason that must be given.
var refused = []struct {
	name, reason string
	build        func(m *Module)
}{
	{"table.set", "table.set", inCode(I32(0), Op(RefNull, 0x70), Op(0x26, 0))},
	{"table.grow", "table.grow", inCode(Op(RefNull, 0x70), I32(1), Bulk(TableGrow, 0), Op(Drop))},
	{"table.init", "table.init", inCode(I32(0), I32(0), I32(0), Bulk(TableInit, 0, 0))},
	{"table.copy", "table.copy", inCode(I32(0), I32(0), I32(0), Bulk(TableCopy, 0, 0))},
	{"table.fill", "table.fill", inCode(I32(0), Op(RefNull, 0x70), I32(0), Bulk(TableFill, 0))},
	{"elem.drop", "elem.drop", inCode(Bulk(ElemDrop, 0))},
	{"data.drop", "data.drop", inCode(Bulk(DataDrop, 0))},
	{"memory import", `imports the memory, table or global "env"."memory"`, func(m *Module) { m.ImportRaw("env", "memory", []byte{2, 0, 1}) }},
	{"table import", "only functions can be imported", func(m *Module) { m.ImportRaw("env", "t", []byte{1, 0x70, 0, 1}) }},
	{"global import", "only functions can be imported", func(m *Module) { m.ImportRaw("env", "g", []byte{3, 0x7f, 1}) }},
	{"yield import", "reserved module lectern_fuel", func(m *Module) { m.Import(rewrite.YieldModule, rewrite.YieldFunction, "", "") }},
	{"mutable vector", "global 0 holds a vector", func(m *Module) { m.Global("v", true, make([]byte, 0)) }},
	{"mutable funcref", "holds a vector or a reference", func(m *Module) { m.Global("r", true, Op(RefNull, 0x70)) }},
	{"mutable externref", "holds a vector or a reference", func(m *Module) { m.Global("e", true, Op(RefNull, 0x6f)) }},
	{"reserved export", `"lectern:fuel" has the reserved prefix`, func(m *Module) { m.Export(rewrite.FuelExport, KindFunction, m.Func("", "", "")) }},
	{"shared memory", "shared between threads", func(m *Module) { m.Replace = map[byte][]byte{SecMemory: {1, 3, 1, 1}} }},
	{"64-bit memory", "64-bit", func(m *Module) { m.Replace = map[byte][]byte{SecMemory: {1, 4, 1}} }},
	{"two memories", "2 memories", func(m *Module) { m.Memory(1, 0); m.Memory(1, 0) }},
	{"large table", "1 tables with 262145 entries", func(m *Module) { m.Table(1<<18 + 1) }},
	{"two large tables", "2 tables with 262146 entries", func(m *Module) { m.Table(1 << 17); m.Table(1<<17 + 2) }},
	{"many tables", "17 tables", func(m *Module) {
		for range 17 {
			m.Table(0)
		}
	}},
	{"many globals", "10001 globals", func(m *Module) {
		for range 10_001 {
			m.Global("i", true, I32(0))
		}
	}},
	{"many locals", "50001 local variables", func(m *Module) { m.FuncRaw("", "", Ops(U32(1), U32(50_001), []byte{0x7f, End})) }},
	{"locals over 32 bits", "local variables", func(m *Module) {
		m.FuncRaw("", "", Ops(U32(2), U32(1<<32-1), []byte{0x7f}, U32(1<<32-1), []byte{0x7f, End}))
	}},
	{"many locals in all", "1048576 in the whole module", func(m *Module) {
		for range 22 {
			m.FuncRaw("", "", Ops(U32(1), U32(49_999), []byte{0x7f, End}))
		}
	}},
	{"deep nesting", "nested more than 10000 deep", func(m *Module) {
		m.Func("", "", "", []byte(strings.Repeat("\x02\x40", 10_001)), []byte(strings.Repeat("\x0b", 10_001)))
	}},
	{"many blocks", "would take too long", func(m *Module) { m.Func("", "", "", []byte(strings.Repeat("\x03\x40\x0b", 6_000))) }},
	{"many blocks in all", "would take too long", func(m *Module) {
		for range 10 {
			m.Func("", "", "", []byte(strings.Repeat("\x03\x40\x0b", 2_000)))
		}
	}},
	{"long function", "the limit is 1048576", func(m *Module) { m.Func("", "", "", make([]byte, 1<<20)) }},
	{"exceptions", "instruction 0x6 is not supported", inCode([]byte{0x06, Empty, End})},
	{"tail call", "instruction 0x12 is not supported", inCode([]byte{0x12, 0})},
	{"atomics", "instruction 0xfe is not supported", inCode([]byte{0xfe, 0x10, 2, 0})},
	{"unknown bulk instruction", "instruction 0xfc 18", inCode(Bulk(18))},
	{"unknown vector instruction", "instruction 0xfd is not supported", inCode(Op(0xfd, 0x114))},
	{"computed constant", "instruction 0x6a in a constant expression", func(m *Module) { m.Global("i", false, I32(1), I32(1), Op(I32Add)) }},
	{"data at a global", "not a constant", func(m *Module) {
		m.Memory(1, 0)
		m.DataRaw([]byte{0}, Op(GlobalGet, 0), Op(End), Sized([]byte("x")))
	}},
}

// inCode puts instructions into a function of a module with a table.
func inCode(code ...[]byte) func(m *Module) {
	return func(m *Module) {
		m.Table(1)
		m.Func("", "", "", code...)
	}
}

// TestRefusals checks that each such module is refused with its reason.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range refused {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var m Module
			tt.build(&m)
			_, err := rewrite.Rewrite(m.Bytes())
			if !errors.Is(err, rewrite.ErrRefused) || !strings.Contains(fmt.Sprint(err), tt.reason) {
				t.Errorf("error %v, want %q and ErrRefused", err, tt.reason)
			}
		})
	}
	if _, err := rewrite.Rewrite(make([]byte, rewrite.MaxSize+1)); !errors.Is(err, rewrite.ErrRefused) {
		t.Errorf("a module of more than %d bytes: %v", rewrite.MaxSize, err)
	}
}

// malformed are byte strings that are no module.
var malformed = map[string]string{
	"nothing":                  "",
	"half a head":              Magic[:6],
	"another version":          "\x00asm\x02\x00\x00\x00",
	"text":                     "(module)",
	"unknown section":          Magic + "\x0e\x00",
	"section twice":            Magic + "\x01\x01\x00\x01\x01\x00",
	"sections out of order":    Magic + "\x03\x01\x00\x01\x01\x00",
	"start before exports":     Magic + "\x08\x01\x00\x07\x01\x00",
	"section cut off":          Magic + "\x01\x05\x01",
	"length over 32 bits":      Magic + "\x01\xff\xff\xff\xff\x1f\x00",
	"length of six bytes":      Magic + "\x01\x81\x80\x80\x80\x80\x00\x00",
	"length of eleven bytes":   Magic + "\x01\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
	"forged count of types":    Magic + "\x01\x05\xff\xff\xff\xff\x0f",
	"forged count of imports":  Magic + "\x02\x05\xff\xff\xff\xff\x0f",
	"forged count of bodies":   Magic + "\x0a\x05\xff\xff\xff\xff\x0f",
	"forged count of data":     Magic + "\x0b\x05\xff\xff\xff\xff\x0f",
	"forged count of elements": Magic + "\x09\x05\xff\xff\xff\xff\x0f",
	"type that is none":        Magic + "\x01\x04\x01\x5f\x00\x00",
	"function without a type":  Magic + "\x03\x02\x01\x00",
	"import without a type":    Magic + "\x02\x07\x01\x01a\x01b\x00\x00",
	"bytes behind the types":   Magic + "\x01\x02\x00\x00",
	"bytes behind the start":   Magic + "\x08\x02\x00\x00",
	"function without a body":  Magic + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00",
	"body without an end":      Magic + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x05\x01\x03\x00\x01\x01",
	"body behind its end":      Magic + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x05\x01\x03\x00\x0b\x01",
	"body that cuts a number":  Magic + "\x01\x04\x01\x60\x00\x00\x03\x02\x01\x00\x0a\x06\x01\x04\x00\x41\x80\x80",
	"memory over 4 GiB":        Magic + "\x05\x05\x01\x00\x81\x80\x04",
	"memory over its maximum":  Magic + "\x05\x04\x01\x01\x02\x01",
	"data of an unknown kind":  Magic + "\x0b\x06\x01\x03\x41\x00\x0b\x00",
	"element of unknown kind":  Magic + "\x09\x02\x01\x08",
	"constant without an end":  Magic + "\x06\x05\x01\x7f\x00\x41\x00",
	"table of numbers":         Magic + "\x04\x04\x01\x7f\x00\x00",
	"custom section, no name":  Magic + "\x00\x01\x05",
}

// TestMalformed checks that such bytes are called malformed.
func TestMalformed(t *testing.T) {
	t.Parallel()
	for name, wasm := range malformed {
		if _, err := rewrite.Rewrite([]byte(wasm)); !errors.Is(err, rewrite.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		}
	}
}

// TestReach checks that no code can reach what the rewriting adds: a guest that
// could write its fuel would never have to stop.
func TestReach(t *testing.T) {
	t.Parallel()
	for name, build := range map[string]func(m *Module){
		"read the fuel":          inCode(Op(GlobalGet, 0), Op(Drop)),
		"write the fuel":         inCode(I32(1<<30), Op(GlobalSet, 0)),
		"export the fuel":        func(m *Module) { m.Export("fuel", KindGlobal, 0) },
		"a constant of fuel":     func(m *Module) { m.Global("i", false, Op(GlobalGet, 1)) },
		"write the check's":      inCode(I32(1<<30), Op(LocalSet, 0)),
		"call the yield":         inCode(Op(Call, 1)),
		"refer to the yield":     inCode(Op(RefFunc, 1), Op(Drop)),
		"export the yield":       func(m *Module) { m.Export("yield", KindFunction, 0) },
		"start at the yield":     func(m *Module) { m.Start(0) },
		"a wrapped index":        func(m *Module) { m.Start(1<<32 - 1) },
		"the yield in a table":   func(m *Module) { m.Table(1); m.Element(U32(0), I32(0), Op(End), U32(1), U32(0)) },
		"a call by its type":     inCode(I32(0), Op(CallIndirect, 1, 0)),
		"a block of its type":    inCode(Op(Block, 1), Op(End)),
		"a function of its type": func(m *Module) { m.Replace = map[byte][]byte{3: {1, 0}} },
		"start with parameters":  func(m *Module) { m.Start(m.Func("i", "", "")) },
	} {
		var m Module
		build(&m)
		if _, err := rewrite.Rewrite(m.Bytes()); !errors.Is(err, rewrite.ErrMalformed) {
			t.Errorf("%s: error %v, want ErrMalformed", name, err)
		}
	}
}

// TestEmpty checks that the smallest module is taken.
func TestEmpty(t *testing.T) {
	t.Parallel()
	module, err := rewrite.Rewrite([]byte(Magic))
	if err != nil {
		t.Fatal(err)
	}
	runRewritten(t, module, nil)
}

// TestElseOutsideIf checks a body that is wrong in a way that only wazero
// notices: the rewriter follows the nesting and must not lose its way.
func TestElseOutsideIf(t *testing.T) {
	t.Parallel()
	var m Module
	m.Func("", "", "", Op(Else), Op(Else))
	if _, err := rewrite.Rewrite(m.Bytes()); err != nil {
		t.Errorf("the rewriter leaves it to the compiler, and says %v", err)
	}
}
