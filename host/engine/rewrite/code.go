package rewrite

import "fmt"

// The opcodes that the rewriting emits or looks at.
const (
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBr           = 0x0c
	opBrIf         = 0x0d
	opBrTable      = 0x0e
	opReturn       = 0x0f
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
	opLocalSet     = 0x21
	opLocalTee     = 0x22
	opGlobalGet    = 0x23
	opGlobalSet    = 0x24
	opTableSet     = 0x26
	opI32Const     = 0x41
	opI64Const     = 0x42
	opF32Const     = 0x43
	opF64Const     = 0x44
	opI32LeS       = 0x4c
	opI32Sub       = 0x6b
	opI32ShrU      = 0x76
	opRefNull      = 0xd0
	opRefFunc      = 0xd2
	opPrefix       = 0xfc
	opVector       = 0xfd
	blockEmpty     = 0x40
)

// constant copies a constant expression with its end.
func (w *rewriter) constant(r *reader, out []byte) ([]byte, error) {
	for !r.bad {
		op := r.byte()
		if r.bad {
			break
		}
		if op == opEnd {
			return append(out, op), nil
		}
		switch op {
		case opI32Const, opI64Const, opF32Const, opF64Const, opGlobalGet, opRefNull, opRefFunc, opVector:
		default:
			return nil, fmt.Errorf("%w: the instruction %#x in a constant expression", ErrRefused, op)
		}
		var err error
		if out, err = w.instruction(r, out, op); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: a constant expression has no end", ErrMalformed)
}

// readCode puts the checks of fuel into every function.
func (w *rewriter) readCode() error {
	r, n := w.items(secCode)
	own := w.functions[w.imported:]
	w.meter.fuel, w.meter.yield = w.fuel(), w.imported
	if n != len(own) && !r.bad {
		return fmt.Errorf("%w: %d functions have %d bodies", ErrMalformed, len(own), n)
	}
	if n == 0 {
		return r.fault("its code")
	}
	out := make([]byte, 0, len(r.rest)*5/4)
	out = appendU32(out, uint32(n))
	var scratch []byte
	for i := range n {
		body, err := w.body(&reader{rest: r.bytes()}, scratch[:0], uint32(i))
		if err != nil {
			return fmt.Errorf("function %d: %w", i, err)
		}
		out = appendSized(out, body)
		scratch = body
		if len(out) > maxCode {
			return fmt.Errorf("%w: its code with the checks of fuel has more than %d bytes", ErrRefused, maxCode)
		}
	}
	w.sections[secCode] = out
	return r.fault("its code")
}

// body copies a function, by its number among the module's own, with one more
// local variable, which the checks use.
func (w *rewriter) body(r *reader, out []byte, number uint32) ([]byte, error) {
	if len(r.rest) > maxBody {
		return nil, fmt.Errorf("%w: it has %d bytes, the limit is %d", ErrRefused, len(r.rest), maxBody)
	}
	groups := r.count()
	parameters := w.functions[w.imported+number].params
	total := uint64(parameters)
	out = appendU32(out, uint32(groups)+1)
	for range groups {
		n, kind := r.u32(), r.byte()
		total += uint64(n)
		out = append(appendU32(out, n), kind)
	}
	w.locals += total
	if total > maxLocals || w.locals > maxAllLocals {
		return nil, fmt.Errorf("%w: it has %d local variables; the limit is %d, and %d in the whole module", ErrRefused, total, maxLocals, maxAllLocals)
	}
	out = append(out, 1, typeI32)
	w.variables = uint32(total)
	m := &w.meter
	m.begin(out, w.imported+1+number, uint32(parameters), w.variables)
	w.jumps.begin()
	for depth := 1; depth > 0; {
		if r.bad {
			return nil, fmt.Errorf("%w: its code ends early", ErrMalformed)
		}
		op, before := r.byte(), len(r.rest)
		switch op {
		case opBlock, opLoop, opIf:
			depth++
		case opEnd:
			depth--
		}
		if depth > maxNesting {
			return nil, fmt.Errorf("%w: its blocks are nested more than %d deep", ErrRefused, maxNesting)
		}
		out = m.before(out, op)
		var err error
		if out, err = w.instruction(r, out, op); err != nil {
			return nil, err
		}
		out = m.after(out, op, before-len(r.rest), w.hasParameters)
	}
	m.finish(out)
	if w.blocks += m.blocks * m.blocks; w.blocks > maxBlocks {
		return nil, fmt.Errorf("%w: compiling it would take too long; its functions have too many blocks", ErrRefused)
	}
	return out, r.fault("its code")
}

// instruction copies one instruction whose opcode has been read.
func (w *rewriter) instruction(r *reader, out []byte, op byte) ([]byte, error) {
	switch op {
	case opLocalGet, opLocalSet, opBr, opBrTable, opI32Const, opBlock, opLoop:
	default:
		w.jumps.forget()
	}
	switch op {
	case opCall, opRefFunc:
		return appendU32(append(out, op), w.function(r)), nil
	case opLocalGet, opLocalSet, opLocalTee:
		return w.local(r, append(out, op), op), nil
	case opBr:
		return appendU32(append(out, op), w.jumps.shorten(r.u32())), nil
	case opBrTable:
		return w.table(r, append(out, op)), nil
	case opGlobalGet, opGlobalSet:
		return w.copyIndex(r, append(out, op), w.globals), nil
	case opCallIndirect:
		out = w.copyIndex(r, append(out, op), uint32(len(w.types)))
		return appendU32(out, r.u32()), nil
	case opTableSet:
		return nil, fmt.Errorf("%w: it changes a table (table.set)", ErrRefused)
	case opPrefix:
		return w.prefixed(r, out)
	}
	start := r.rest
	if !w.skip(r, op) {
		return nil, fmt.Errorf("%w: the instruction %#x is not supported", ErrRefused, op)
	}
	if r.bad {
		return nil, fmt.Errorf("%w: its code ends early", ErrMalformed)
	}
	return append(append(out, op), start[:len(start)-len(r.rest)]...), nil
}

// local copies the index of a local variable.
func (w *rewriter) local(r *reader, out []byte, op byte) []byte {
	index := r.u32()
	if index >= w.variables {
		r.bad = true
	}
	switch op {
	case opLocalGet:
		w.jumps.get(index)
	case opLocalSet:
		w.jumps.set(index)
	default:
		w.jumps.forget()
	}
	return appendU32(out, index)
}

// table copies what a br_table leads to.
func (w *rewriter) table(r *reader, out []byte) []byte {
	start := r.rest
	depths := make([]uint32, r.count()+1)
	for i := range depths {
		depths[i] = r.u32()
	}
	w.jumps.dispatch(depths)
	return append(out, start[:len(start)-len(r.rest)]...)
}

// copyIndex copies an index that must be below a limit, so that no code can
// reach what the rewriting adds behind the module's own: above all the fuel.
func (w *rewriter) copyIndex(r *reader, out []byte, limit uint32) []byte {
	index := r.u32()
	if index >= limit {
		r.bad = true
	}
	return appendU32(out, index)
}

// forbidden are the instructions behind the prefix 0xfc that change what
// cannot be restored.
var forbidden = map[uint32]string{
	9: "data.drop", 12: "table.init", 13: "elem.drop", 14: "table.copy", 15: "table.grow", 17: "table.fill",
}

// prefixed copies an instruction behind the prefix 0xfc.
func (w *rewriter) prefixed(r *reader, out []byte) ([]byte, error) {
	sub := r.u32()
	if name := forbidden[sub]; name != "" {
		return nil, fmt.Errorf("%w: it changes a table or drops a segment (%s)", ErrRefused, name)
	}
	immediates := 0
	switch {
	case sub <= 7: // saturating truncations
	case sub == 8 || sub == 10: // memory.init, memory.copy
		immediates = 2
	case sub == 11 || sub == 16: // memory.fill, table.size
		immediates = 1
	default:
		return nil, fmt.Errorf("%w: the instruction 0xfc %d is not supported", ErrRefused, sub)
	}
	w.usesInit = w.usesInit || sub == 8
	if sub >= 8 && sub <= 11 {
		out = w.meter.bulk(out)
	}
	out = appendU32(append(out, opPrefix), sub)
	for range immediates {
		out = appendU32(out, r.u32())
	}
	return out, nil
}

// skip steps over the immediates of an instruction. It reports false for an
// opcode that is not in the specification's version 2.0.
func (w *rewriter) skip(r *reader, op byte) bool {
	switch {
	case op == opBlock || op == opLoop || op == opIf:
		kind := r.signed(33)
		if kind >= int64(len(w.types)) {
			r.bad = true
			break
		}
		w.jumps.enter(op, kind == emptyKind)
		w.hasParameters = kind >= 0 && w.types[kind].params > 0
	case op == 0x0c || op == 0x0d, op == 0x25, op == 0x3f || op == 0x40:
		r.u32()
	case op == opBrTable:
		for range r.count() + 1 {
			r.u32()
		}
	case op == opSelectTyped:
		r.bytes()
	case op >= 0x28 && op <= 0x3e:
		r.u32()
		r.u32()
	case op == opI32Const:
		w.jumps.push(r.signed(32))
	case op == opEnd:
		w.jumps.leave()
	case op == opI64Const:
		r.signed(64)
	case op == opF32Const:
		r.take(4)
	case op == opF64Const:
		r.take(8)
	case op == opRefNull:
		r.byte()
	case op == opVector:
		return skipVector(r)
	case op == opRefNull+1: // ref.is_null
	default:
		return op <= 0x01 || op == opElse || op == opEnd || op == 0x0f || op == 0x1a || op == 0x1b || (op >= 0x45 && op <= 0xc4)
	}
	return true
}

// skipVector steps over the immediates of a vector instruction.
func skipVector(r *reader) bool {
	const lastVector = 0x113
	switch sub := r.u32(); {
	case sub <= 11, sub == 92, sub == 93: // loads and stores
		r.u32()
		r.u32()
	case sub == 12, sub == 13: // v128.const, i8x16.shuffle
		r.take(16)
	case sub >= 21 && sub <= 34: // lanes
		r.byte()
	case sub >= 84 && sub <= 91: // loads and stores of a lane
		r.u32()
		r.u32()
		r.byte()
	case sub > lastVector:
		return false
	}
	return true
}
