package rewrite

import (
	"bytes"
	"fmt"
	"strings"
)

// The kinds of imports and exports.
const (
	kindFunction = 0
	kindTable    = 1
	kindMemory   = 2
	kindGlobal   = 3
)

const (
	// typeFunction starts each function type.
	typeFunction = 0x60
	// typeI32 is the type of the fuel.
	typeI32 = 0x7f
	// typeV128 is that of vectors, which an exported global cannot hold.
	typeV128 = 0x7b
	// firstReference and lastReference span funcref and externref.
	firstReference = 0x6f
	// lastReference is externref.
	lastReference = 0x70
	// allPages is the most pages that a 32-bit memory can have.
	allPages = 1 << 16
)

// signature is how many parameters and results a function type has.
type signature struct{ params, results int }

// readTypes counts the parameters and results of each type, and adds the type
// of the yield function at the end.
func (w *rewriter) readTypes() error {
	r, n := w.items(secType)
	body := r.rest
	for range n {
		if r.byte() != typeFunction {
			return fmt.Errorf("%w: a type that is not a function's", ErrMalformed)
		}
		w.types = append(w.types, signature{params: len(r.bytes()), results: len(r.bytes())})
	}
	if err := r.fault("its types"); err != nil {
		return err
	}
	out := append(appendU32(nil, uint32(n)+1), body...)
	w.sections[secType] = append(out, typeFunction, 0, 0)
	return nil
}

// readImports counts the imported functions and adds the yield function
// behind them. Other imports hold state that is not the sandbox's own.
func (w *rewriter) readImports() error {
	r, n := w.items(secImport)
	body := r.rest
	for range n {
		module, name := string(r.bytes()), string(r.bytes())
		if kind := r.byte(); kind != kindFunction && !r.bad {
			return fmt.Errorf("%w: it imports the memory, table or global %.40q.%.40q; only functions can be imported", ErrRefused, module, name)
		}
		if module == YieldModule {
			return fmt.Errorf("%w: it imports from the reserved module %s", ErrRefused, YieldModule)
		}
		w.functionType(r)
	}
	if err := r.fault("its imports"); err != nil {
		return err
	}
	w.imported = uint32(n)
	out := append(appendU32(nil, uint32(n)+1), body...)
	out = appendSized(out, []byte(YieldModule))
	out = appendSized(out, []byte(YieldFunction))
	out = append(out, kindFunction)
	w.sections[secImport] = appendU32(out, uint32(len(w.types)))
	return nil
}

func (w *rewriter) readFunctions() error {
	r, n := w.items(secFunction)
	for range n {
		w.functionType(r)
	}
	return r.fault("its functions")
}

// functionType reads the type of the next function.
func (w *rewriter) functionType(r *reader) {
	t := r.u32()
	if uint64(t) >= uint64(len(w.types)) {
		r.bad = true
		return
	}
	w.functions = append(w.functions, w.types[t])
}

// function reads the index of a function and gives its new one.
func (w *rewriter) function(r *reader) uint32 {
	index := r.u32()
	if uint64(index) >= uint64(len(w.functions)) {
		r.bad = true
		return 0
	}
	return w.shift(index)
}

// readTables makes sure that the tables, which stay as they are, are small:
// every sandbox has its own.
func (w *rewriter) readTables() error {
	r, n := w.items(secTable)
	entries := uint64(0)
	for range n {
		if kind := r.byte(); kind < firstReference || kind > lastReference {
			r.bad = true
		}
		low, _ := r.limits()
		entries += uint64(low)
	}
	if n > maxTables || entries > maxTableEntries {
		return fmt.Errorf("%w: it has %d tables with %d entries; the limits are %d and %d", ErrRefused, n, entries, maxTables, maxTableEntries)
	}
	return r.fault("its tables")
}

// readMemory takes the maximum out of the one memory that there may be.
func (w *rewriter) readMemory() error {
	r, n := w.items(secMemory)
	if n > 1 {
		return fmt.Errorf("%w: it has %d memories; one is the most", ErrRefused, n)
	}
	if n == 0 {
		return r.fault("its memory")
	}
	flags := r.rest[0]
	if flags > 1 {
		return fmt.Errorf("%w: its memory is shared between threads or has 64-bit addresses", ErrRefused)
	}
	hasMaximum := flags == 1
	w.out.MinPages, w.out.MaxPages = r.limits()
	if !hasMaximum {
		w.out.MaxPages = allPages
	}
	if w.out.MinPages > w.out.MaxPages || w.out.MaxPages > allPages {
		r.bad = true
	}
	w.hasMemory = true
	w.sections[secMemory] = appendU32([]byte{1, 0}, w.out.MinPages)
	return r.fault("its memory")
}

// readGlobals finds the mutable globals and adds the one that counts fuel.
func (w *rewriter) readGlobals() error {
	r, n := w.items(secGlobal)
	if n > maxGlobals {
		return fmt.Errorf("%w: it has %d globals, the limit is %d", ErrRefused, n, maxGlobals)
	}
	w.globals = uint32(n)
	var body []byte
	for i := range uint32(n) {
		kind, mutable := r.byte(), r.byte()
		if mutable == 1 {
			if kind == typeV128 || (kind >= firstReference && kind <= lastReference) {
				return fmt.Errorf("%w: its mutable global %d holds a vector or a reference, which cannot be restored", ErrRefused, i)
			}
			w.mutable = append(w.mutable, i)
			w.out.Globals = append(w.out.Globals, globalExport(i))
		}
		body = append(body, kind, mutable)
		var err error
		if body, err = w.constant(r, body); err != nil {
			return err
		}
	}
	if err := r.fault("its globals"); err != nil {
		return err
	}
	body = append(body, typeI32, 1, opI32Const, 0, opEnd)
	w.sections[secGlobal] = append(appendU32(nil, uint32(n)+1), body...)
	return nil
}

// readExports moves the functions' indices and adds the reserved exports.
func (w *rewriter) readExports() error {
	r, n := w.items(secExport)
	var body []byte
	for range n {
		name := r.bytes()
		if strings.HasPrefix(string(name), Prefix) {
			return fmt.Errorf("%w: its export %.40q has the reserved prefix %s", ErrRefused, name, Prefix)
		}
		kind, index := r.byte(), uint32(0)
		if kind == kindFunction {
			index = w.function(r)
		} else if index = r.u32(); kind == kindGlobal && index >= w.globals {
			r.bad = true
		}
		body = appendU32(append(appendSized(body, name), kind), index)
	}
	if err := r.fault("its exports"); err != nil {
		return err
	}
	for i, index := range w.mutable {
		body = appendU32(append(appendSized(body, []byte(w.out.Globals[i])), kindGlobal), index)
	}
	body = appendU32(append(appendSized(body, []byte(FuelExport)), kindGlobal), w.fuel())
	w.sections[secExport] = append(appendU32(nil, uint32(n+len(w.mutable)+1)), body...)
	return nil
}

// readStart turns the start function into an export.
func (w *rewriter) readStart() error {
	body, ok := w.sections[secStart]
	if !ok {
		return nil
	}
	delete(w.sections, secStart)
	r := &reader{rest: body}
	old := (&reader{rest: body}).u32()
	start := w.function(r)
	if err := r.fault("its start function"); err != nil {
		return err
	}
	if w.functions[old] != (signature{}) {
		return fmt.Errorf("%w: its start function has parameters or results", ErrMalformed)
	}
	w.out.HasStart = true
	e := &reader{rest: w.sections[secExport]}
	n := e.u32()
	exports := append(appendU32(nil, n+1), e.rest...)
	exports = append(appendSized(exports, []byte(StartExport)), kindFunction)
	w.sections[secExport] = appendU32(exports, start)
	return nil
}

// readElements moves the functions' indices in the tables' initial content.
func (w *rewriter) readElements() error {
	r, n := w.items(secElement)
	if n == 0 {
		return r.fault("its elements")
	}
	body := appendU32(nil, uint32(n))
	for range n {
		var err error
		if body, err = w.element(r, body); err != nil {
			return err
		}
	}
	w.sections[secElement] = body
	return r.fault("its elements")
}

// element copies one segment. Its flags say: bit 0 not active, bit 1 an
// explicit table (or, not active, only declared), bit 2 expressions in place
// of function indices.
func (w *rewriter) element(r *reader, body []byte) ([]byte, error) {
	flags := r.u32()
	if flags > 7 {
		r.bad = true
	}
	body = appendU32(body, flags)
	active, explicit, expressions := flags&1 == 0, flags&2 != 0, flags&4 != 0
	var err error
	if active {
		if explicit {
			body = appendU32(body, r.u32())
		}
		if body, err = w.constant(r, body); err != nil {
			return nil, err
		}
	}
	if !active || explicit {
		body = append(body, r.byte())
	}
	n := r.count()
	body = appendU32(body, uint32(n))
	for range n {
		if !expressions {
			body = appendU32(body, w.function(r))
			continue
		}
		if body, err = w.constant(r, body); err != nil {
			return nil, err
		}
	}
	return body, nil
}

// readData takes the active segments out. If the code uses memory.init, their
// places stay, empty as they are after start-up.
func (w *rewriter) readData() error {
	r, n := w.items(secData)
	if n == 0 {
		return r.fault("its data")
	}
	if !w.hasMemory {
		return fmt.Errorf("%w: it has data and no memory", ErrMalformed)
	}
	kept := appendU32(nil, uint32(n))
	for range n {
		flags := r.u32()
		if flags == 1 {
			kept = appendSized(append(kept, 1), r.bytes())
			continue
		}
		if flags > 2 || (flags == 2 && r.u32() != 0) {
			r.bad = true
		}
		if op := r.byte(); op != opI32Const && !r.bad {
			return fmt.Errorf("%w: a data segment whose place is not a constant", ErrRefused)
		}
		offset := uint32(r.signed(32))
		if r.byte() != opEnd {
			r.bad = true
		}
		w.out.Data = append(w.out.Data, Segment{Offset: offset, Data: r.bytes()})
		kept = append(kept, 1, 0)
	}
	if err := r.fault("its data"); err != nil {
		return err
	}
	w.sections[secData] = kept
	if !w.usesInit {
		delete(w.sections, secData)
		delete(w.sections, secDataCount)
	}
	return nil
}

// readNames keeps the functions' names, with their new indices, so that stack
// traces can be read, and drops debug information, which no longer fits.
func (w *rewriter) readNames() error {
	var kept [][]byte
	for _, body := range w.custom {
		r := &reader{rest: body}
		name := string(r.bytes())
		switch {
		case r.bad:
			return fmt.Errorf("%w: a custom section has no name", ErrMalformed)
		case strings.HasPrefix(name, ".debug"), name == "reloc.CODE", name == "producers":
		case name == "name":
			if names := w.functionNames(r.rest); names != nil {
				kept = append(kept, append(appendSized(nil, []byte("name")), names...))
			}
		default:
			kept = append(kept, bytes.Clone(body))
		}
	}
	w.custom = kept
	return nil
}

// functionNames rewrites the subsection with the names of functions. Names
// are a courtesy: if they cannot be read they are dropped, not refused.
func (w *rewriter) functionNames(section []byte) []byte {
	const functions = 1
	r := &reader{rest: section}
	for !r.bad && len(r.rest) > 0 {
		id, body := r.byte(), r.bytes()
		if id != functions {
			continue
		}
		names := &reader{rest: body}
		n := names.count()
		out := appendU32(nil, uint32(n))
		for range n {
			out = appendU32(out, w.shift(names.u32()))
			out = appendSized(out, names.bytes())
		}
		if names.fault("names") != nil {
			return nil
		}
		return appendSized([]byte{functions}, out)
	}
	return nil
}
