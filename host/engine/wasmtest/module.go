// Package wasmtest puts small WebAssembly modules together for the tests of
// the engine and of its rewriter: what the Go compiler would never emit.
package wasmtest

import (
	"encoding/binary"
	"slices"
)

// The ids of sections that tests name.
const (
	SecType    = 1
	SecImport  = 2
	SecTable   = 4
	SecMemory  = 5
	SecGlobal  = 6
	SecExport  = 7
	SecElement = 9
	SecCode    = 10
	SecData    = 11
)

// The kinds of exports.
const (
	KindFunction = 0
	KindTable    = 1
	KindMemory   = 2
	KindGlobal   = 3
)

// Magic is how every module begins.
const Magic = "\x00asm\x01\x00\x00\x00"

// Module is a module under construction; the zero value is empty. Imports
// come first, since they take the first indices. Nothing is checked: tests
// want wrong modules too.
type Module struct {
	types, imports, functions, tables, memories [][]byte
	globals, exports, elements, code, data      [][]byte
	start                                       []byte
	customs                                     []byte
	names                                       [][]byte
	// CountData adds the section that memory.init demands.
	CountData bool
	// Replace holds bodies of sections that stand in for the real ones.
	Replace map[byte][]byte
}

// valueTypes are the letters of signatures.
var valueTypes = map[rune]byte{'i': 0x7f, 'l': 0x7e, 'f': 0x7d, 'd': 0x7c, 'v': 0x7b, 'r': 0x70, 'e': 0x6f}

// Types encodes value types by their letters: i for i32, l for i64, f for
// f32, d for f64, v for v128, r for funcref, e for externref.
func Types(letters string) []byte {
	out := make([]byte, 0, len(letters))
	for _, l := range letters {
		out = append(out, valueTypes[l])
	}
	return out
}

// Type gives the index of a function type.
func (m *Module) Type(params, results string) uint32 {
	t := slices.Concat([]byte{0x60}, Sized(Types(params)), Sized(Types(results)))
	for i, known := range m.types {
		if slices.Equal(known, t) {
			return uint32(i)
		}
	}
	m.types = append(m.types, t)
	return uint32(len(m.types) - 1)
}

// Import adds an imported function and gives its index.
func (m *Module) Import(module, name, params, results string) uint32 {
	m.ImportRaw(module, name, append([]byte{KindFunction}, U32(m.Type(params, results))...))
	return uint32(len(m.imports) - 1)
}

// ImportRaw adds an import of any kind.
func (m *Module) ImportRaw(module, name string, description []byte) {
	m.imports = append(m.imports, slices.Concat(Sized([]byte(module)), Sized([]byte(name)), description))
}

// Func adds a function and gives its index; locals are letters. The end of
// its code is added.
func (m *Module) Func(params, results, locals string, code ...[]byte) uint32 {
	body := U32(uint32(len(locals)))
	for _, l := range Types(locals) {
		body = append(body, 1, l)
	}
	return m.FuncRaw(params, results, append(append(body, slices.Concat(code...)...), End))
}

// FuncRaw adds a function by the bytes of its body.
func (m *Module) FuncRaw(params, results string, body []byte) uint32 {
	m.functions = append(m.functions, U32(m.Type(params, results)))
	m.code = append(m.code, Sized(body))
	return uint32(len(m.imports) + len(m.functions) - 1)
}

// Table adds a table of function references and gives its index.
func (m *Module) Table(size uint32) uint32 {
	m.tables = append(m.tables, append([]byte{0x70, 0}, U32(size)...))
	return uint32(len(m.tables) - 1)
}

// Memory adds a memory that is exported as "memory"; a most of 0 means no
// maximum.
func (m *Module) Memory(least, most uint32) {
	limits := append([]byte{0}, U32(least)...)
	if most > 0 {
		limits = slices.Concat([]byte{1}, U32(least), U32(most))
	}
	m.memories = append(m.memories, limits)
	m.Export("memory", KindMemory, uint32(len(m.memories)-1))
}

// Global adds a global by the letter of its type and the code of its value.
func (m *Module) Global(letter string, mutable bool, value ...[]byte) uint32 {
	head := append(Types(letter), 0)
	if mutable {
		head[1] = 1
	}
	m.globals = append(m.globals, append(append(head, slices.Concat(value...)...), End))
	return uint32(len(m.globals) - 1)
}

// Export adds an export.
func (m *Module) Export(name string, kind byte, index uint32) {
	m.exports = append(m.exports, append(append(Sized([]byte(name)), kind), U32(index)...))
}

// Element adds an element segment by its bytes.
func (m *Module) Element(parts ...[]byte) { m.elements = append(m.elements, slices.Concat(parts...)) }

// Data adds data for a place in memory.
func (m *Module) Data(offset int32, content string) {
	m.data = append(m.data, slices.Concat([]byte{0}, I32(offset), []byte{End}, Sized([]byte(content))))
}

// DataRaw adds a data segment by its bytes; they begin with 1 if it is passive.
func (m *Module) DataRaw(parts ...[]byte) { m.data = append(m.data, slices.Concat(parts...)) }

// Start names the start function.
func (m *Module) Start(function uint32) { m.start = U32(function) }

// Name gives a function a name for stack traces; call it in the order of the
// indices.
func (m *Module) Name(function uint32, name string) {
	m.names = append(m.names, append(U32(function), Sized([]byte(name))...))
}

// Custom adds a custom section.
func (m *Module) Custom(name string, content []byte) {
	m.customs = append(m.customs, Custom(name, content)...)
}

// Bytes is the finished module.
func (m *Module) Bytes() []byte {
	out := []byte(Magic)
	section := func(id byte, body []byte) {
		if other, ok := m.Replace[id]; ok {
			body = other
		}
		if len(body) > 0 {
			out = append(append(out, id), Sized(body)...)
		}
	}
	for id, items := range [][][]byte{nil, m.types, m.imports, m.functions, m.tables, m.memories, m.globals, m.exports} {
		section(byte(id), Vector(items))
	}
	section(8, m.start)
	section(SecElement, Vector(m.elements))
	if m.CountData {
		section(12, U32(uint32(len(m.data))))
	}
	section(SecCode, Vector(m.code))
	section(SecData, Vector(m.data))
	if len(m.names) > 0 {
		out = append(out, Custom("name", append([]byte{1}, Sized(Vector(m.names))...))...)
	}
	return append(out, m.customs...)
}

// Custom is a whole custom section; appended to a finished module it is part
// of it.
func Custom(name string, content []byte) []byte {
	return append([]byte{0}, Sized(append(Sized([]byte(name)), content...))...)
}

// Vector is a count and the items; nothing if there are none.
func Vector(items [][]byte) []byte {
	if len(items) == 0 {
		return nil
	}
	return append(U32(uint32(len(items))), slices.Concat(items...)...)
}

// U32 encodes an unsigned number.
func U32(n uint32) []byte { return binary.AppendUvarint(nil, uint64(n)) }

// Sized is a length and the bytes.
func Sized(b []byte) []byte { return append(U32(uint32(len(b))), b...) }
