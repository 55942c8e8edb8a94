// Package rewrite prepares a WebAssembly module for sandboxes that are copies
// of a frozen image. It changes the binary once, at load:
//
//   - every mutable global is exported under a reserved name, so that the host
//     can save and restore it;
//   - active data segments are taken out, to be written into the image once
//     and not into every copy. (A module by the Go compiler has some 59,000;
//     wazero keeps a header for each in every instance.)
//   - the start function is taken out and exported, so that it runs once;
//   - a counter, the fuel, is taken from by the length of the code that runs
//     and checked at each function's entry, at the head of each loop and
//     before each bulk memory instruction. When it is used up the guest calls
//     an imported function of the host, which may refill it or stop the guest;
//   - jumps ahead in code by the Go compiler are made direct (see jumps.go);
//   - the memory's maximum is taken out, so that a memory that has reached it
//     can be shrunk by the host's allocator, which keeps to the maximum.
//
// A module whose state could hide elsewhere is refused, naming the cause:
// instructions that change tables or drop segments, and imported memories,
// tables or globals. So is one that would take much time to compile or much
// memory in each sandbox.
//
// The binary format is that of the WebAssembly Core Specification 2.0, without
// the vector instructions' semantics: they are only stepped over.
package rewrite

import (
	"errors"
	"fmt"
	"strconv"
)

// The names that the rewriting adds to a module. A module that already has an
// export under the prefix is refused.
const (
	// Prefix starts every reserved export.
	Prefix = "lectern:"
	// FuelExport is the global that holds the fuel, an i32.
	FuelExport = Prefix + "fuel"
	// StartExport is the function that was the start function.
	StartExport = Prefix + "start"
	// YieldModule and YieldFunction name the import without parameters and
	// results that is called when the fuel is used up.
	YieldModule   = "lectern_fuel"
	YieldFunction = "yield"
)

// Limits that keep a hostile module from taking long; real ones stay far under.
const (
	// MaxSize is the largest module in bytes.
	MaxSize = 64 << 20
	// maxItems is the most entries that one section may hold.
	maxItems = 1 << 20
	// maxNesting is the deepest nesting of blocks.
	maxNesting = 10_000
	// maxBody is the longest body of one function in bytes; those of the Go
	// compiler reach 50,000.
	maxBody = 1 << 20
	// maxBlocks bounds the sum, over all functions, of the squares of their
	// straight pieces of code. wazero takes some 20 ns for each, so 10 s at
	// the limit; the site's handlers have
	// 20 to 30 million.
	maxBlocks = 500_000_000
	// maxCode is the most code of a module after the checks were added.
	maxCode = 2 * MaxSize
	// maxLocals is the most local variables of a function, as in wazero, and
	// maxAllLocals of all functions; the Go compiler makes some 20,000.
	maxLocals    = 50_000
	maxAllLocals = 1 << 20
	// Every sandbox holds its own tables and globals. The Go compiler makes
	// one table of 8,000 entries, and 8 globals.
	maxTables       = 16
	maxTableEntries = 1 << 18
	maxGlobals      = 10_000
)

// ErrMalformed says that the bytes are not a WebAssembly module.
var ErrMalformed = errors.New("malformed module")

// ErrRefused says that the module is valid but its state cannot be restored.
var ErrRefused = errors.New("module refused")

// Segment is data that belongs in memory before the module starts.
type Segment struct {
	Offset uint32
	Data   []byte
}

// Module is the result of rewriting.
type Module struct {
	// Wasm is the binary to compile.
	Wasm []byte
	// Globals are the exports of the mutable globals, in the order of their
	// indices.
	Globals []string
	// Data are the segments to apply, in order.
	Data []Segment
	// MinPages is the size that the memory begins with, and MaxPages the one
	// that the module allows it, in pages of 64 KiB.
	MinPages, MaxPages uint32
	// HasStart says that StartExport must be called once.
	HasStart bool
}

// The ids of sections.
const (
	secCustom    = 0
	secType      = 1
	secImport    = 2
	secFunction  = 3
	secTable     = 4
	secMemory    = 5
	secGlobal    = 6
	secExport    = 7
	secStart     = 8
	secElement   = 9
	secCode      = 10
	secData      = 11
	secDataCount = 12
)

// order is how sections follow each other in a module.
var order = []byte{secType, secImport, secFunction, secTable, secMemory, secGlobal, secExport, secElement, secDataCount, secCode, secData}

// magic is how every module of version 1 begins.
const magic = "\x00asm\x01\x00\x00\x00"

// rewriter is a module while it is taken apart.
type rewriter struct {
	sections map[byte][]byte
	custom   [][]byte // whole bodies of custom sections
	// imported is how many functions are imported; the yield function gets
	// this index, and every function from it on moves up by one.
	imported uint32
	types    []signature
	// functions are the types of all functions, the imported ones first.
	functions []signature
	// globals counts all globals; that of the fuel is appended after them.
	globals uint32
	mutable []uint32
	// variables are the parameters and local variables of the function at
	// hand, and locals those of all so far.
	variables uint32
	// hasParameters says so of the block that was read last.
	hasParameters bool
	locals        uint64
	// blocks sums the squares of the functions' blocks.
	blocks uint64
	meter  meter
	jumps  jumps
	// hasMemory says that there is a memory for the data.
	hasMemory bool
	// usesInit says that the code has memory.init, so that the indices of the
	// data segments must stay.
	usesInit bool
	out      Module
}

// Rewrite prepares a module. The error wraps ErrMalformed or ErrRefused.
func Rewrite(wasm []byte) (*Module, error) {
	return (&rewriter{sections: map[byte][]byte{}}).rewrite(wasm)
}

// Unmetered is Rewrite without the checks of fuel, so that their cost can be
// measured. Nothing can stop a guest that was prepared so.
func Unmetered(wasm []byte) (*Module, error) {
	return (&rewriter{sections: map[byte][]byte{}, meter: meter{off: true}}).rewrite(wasm)
}

// rewrite takes the steps of Rewrite.
func (w *rewriter) rewrite(wasm []byte) (*Module, error) {
	if len(wasm) > MaxSize {
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrRefused, len(wasm), MaxSize)
	}
	steps := []func() error{
		func() error { return w.split(wasm) },
		w.readTypes, w.readImports, w.readFunctions, w.readTables, w.readMemory, w.readGlobals, w.readExports,
		w.readStart, w.readElements, w.readCode, w.readData, w.readNames,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	w.out.Wasm = w.join()
	return &w.out, nil
}

// split cuts the module into its sections.
func (w *rewriter) split(wasm []byte) error {
	r := &reader{rest: wasm}
	if string(r.take(len(magic))) != magic {
		return fmt.Errorf("%w: it does not begin as a WebAssembly module of version 1", ErrMalformed)
	}
	last := -1
	for !r.bad && len(r.rest) > 0 {
		id := r.byte()
		body := r.bytes()
		if id == secCustom {
			w.custom = append(w.custom, body)
			continue
		}
		place := placeOf(id)
		if place <= last {
			return fmt.Errorf("%w: section %d is unknown or out of place", ErrMalformed, id)
		}
		last = place
		w.sections[id] = body
	}
	return r.fault("its sections")
}

// items begins to read a section that is a vector, and gives the number of its
// items: none if the module has no such section.
func (w *rewriter) items(section byte) (*reader, int) {
	body, ok := w.sections[section]
	r := &reader{rest: body}
	if !ok {
		return r, 0
	}
	return r, r.count()
}

// placeOf gives the position of a section, -1 if there is no such section.
// The start section, which does not survive, lies between export and element.
func placeOf(id byte) int {
	if id == secStart {
		return placeOf(secExport) + 1
	}
	for i, o := range order {
		if o == id {
			return i * 2
		}
	}
	return -1
}

// join puts the sections together again.
func (w *rewriter) join() []byte {
	size := len(magic)
	for _, s := range w.sections {
		size += len(s) + 6
	}
	for _, s := range w.custom {
		size += len(s) + 6
	}
	out := append(make([]byte, 0, size), magic...)
	for _, id := range order {
		if body, ok := w.sections[id]; ok {
			out = appendSized(append(out, id), body)
		}
	}
	for _, body := range w.custom {
		out = appendSized(append(out, secCustom), body)
	}
	return out
}

// globalExport is the reserved name of the global with an index.
func globalExport(index uint32) string { return Prefix + "g" + strconv.FormatUint(uint64(index), 10) }

// shift is the new index of a function.
func (w *rewriter) shift(function uint32) uint32 {
	if function >= w.imported {
		return function + 1
	}
	return function
}

// fuel is the index of the global that counts.
func (w *rewriter) fuel() uint32 { return w.globals }
