package rewrite

import "fmt"

// The opcodes that the rewriting emits or looks at.
const (
	opBlock        = 0x02
	opLoop         = 0x03
	opIf           = 0x04
	opElse         = 0x05
	opEnd          = 0x0b
	opBrTable      = 0x0e
	opCall         = 0x10
	opCallIndirect = 0x11
	opSelectTyped  = 0x1c
	opLocalGet     = 0x20
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

// bulkShift makes a bulk memory instruction cost one unit of fuel for each
// 256 bytes that it writes.
const bulkShift = 8

// maxLocals is the most local variables of a function; wazero's limit.
const maxLocals = 50_000

// constant copies a constant expression with its end.
func (w *rewriter) constant(r *reader, out []byte) ([]byte, error) {
	for !r.bad {
		op := r.byte()
		if op == opEnd {
			return append(out, op), nil
		}
		switch op {
		case opI32Const, opI64Const, opF32Const, opF64Const, opGlobalGet, opRefNull, opRefFunc, opVector:
		default:
			return nil, fmt.Errorf("%w: the instruction %#x in a constant expression", ErrRefused, op)
		}
		var err error
		if out, err = w.instruction(r, out, op, nil); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: a constant expression has no end", ErrMalformed)
}

// readCode puts the checks of fuel into every function.
func (w *rewriter) readCode() error {
	r := &reader{rest: w.sections[secCode]}
	if len(r.rest) == 0 {
		return nil
	}
	n := r.count()
	if n != len(w.functions) {
		return fmt.Errorf("%w: %d functions have %d bodies", ErrMalformed, len(w.functions), n)
	}
	out := make([]byte, 0, len(r.rest)*5/4)
	out = appendU32(out, uint32(n))
	var scratch []byte
	for i := range n {
		body, err := w.function(&reader{rest: r.bytes()}, scratch[:0], w.types[w.functions[i]])
		if err != nil {
			return fmt.Errorf("function %d: %w", i, err)
		}
		out = appendSized(out, body)
		scratch = body
	}
	w.sections[secCode] = out
	return r.fault("its code")
}

// function copies a body with one more local variable, which the checks use.
func (w *rewriter) function(r *reader, out []byte, parameters int) ([]byte, error) {
	groups := r.count()
	total := uint64(parameters)
	out = appendU32(out, uint32(groups)+1)
	for range groups {
		n, kind := r.u32(), r.byte()
		total += uint64(n)
		out = append(appendU32(out, n), kind)
	}
	if total > maxLocals {
		return nil, fmt.Errorf("%w: it has %d local variables, the limit is %d", ErrRefused, total, maxLocals)
	}
	out = append(out, 1, typeI32)
	check := w.check(uint32(total))
	out = append(out, check...)
	for depth := 1; depth > 0; {
		if r.bad {
			return nil, fmt.Errorf("%w: its code ends early", ErrMalformed)
		}
		op := r.byte()
		switch op {
		case opBlock, opLoop, opIf:
			depth++
		case opEnd:
			depth--
		}
		if depth > maxNesting {
			return nil, fmt.Errorf("%w: its blocks are nested more than %d deep", ErrRefused, maxNesting)
		}
		var err error
		if out, err = w.instruction(r, out, op, check); err != nil {
			return nil, err
		}
	}
	return out, r.fault("its code")
}

// check is the code that takes one unit of fuel and yields if none is left:
//
//	fuel = local = fuel - 1
//	if local <= 0 { yield() }
func (w *rewriter) check(local uint32) []byte {
	c := appendU32([]byte{opGlobalGet}, w.fuel())
	c = append(c, opI32Const, 1, opI32Sub, opLocalTee)
	c = appendU32(c, local)
	c = appendU32(append(c, opGlobalSet), w.fuel())
	c = appendU32(append(c, opLocalGet), local)
	c = append(c, opI32Const, 0, opI32LeS, opIf, blockEmpty, opCall)
	return append(appendU32(c, w.imported), opEnd)
}

// charge is the code before a bulk instruction, whose length is on top of the
// stack: it takes fuel by that length.
func (w *rewriter) charge(out []byte) []byte {
	out = appendU32(append(out, opGlobalSet), w.scratch())
	out = appendU32(append(out, opGlobalGet), w.fuel())
	out = appendU32(append(out, opGlobalGet), w.scratch())
	out = append(out, opI32Const, bulkShift, opI32ShrU, opI32Sub, opGlobalSet)
	out = appendU32(out, w.fuel())
	return appendU32(append(out, opGlobalGet), w.scratch())
}

// instruction copies one instruction whose opcode has been read. Behind the
// head of a loop it adds check.
func (w *rewriter) instruction(r *reader, out []byte, op byte, check []byte) ([]byte, error) {
	switch op {
	case opCall, opRefFunc:
		return appendU32(append(out, op), w.shift(r.u32())), nil
	case opTableSet:
		return nil, fmt.Errorf("%w: it changes a table (table.set)", ErrRefused)
	case opPrefix:
		return w.prefixed(r, out)
	}
	start := r.rest
	if !skip(r, op) {
		return nil, fmt.Errorf("%w: the instruction %#x is not supported", ErrRefused, op)
	}
	if r.bad {
		return nil, fmt.Errorf("%w: its code ends early", ErrMalformed)
	}
	out = append(append(out, op), start[:len(start)-len(r.rest)]...)
	if op == opLoop {
		out = append(out, check...)
	}
	return out, nil
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
		out = w.charge(out)
	}
	out = appendU32(append(out, opPrefix), sub)
	for range immediates {
		out = appendU32(out, r.u32())
	}
	return out, nil
}

// skip steps over the immediates of an instruction. It reports false for an
// opcode that is not in the specification's version 2.0.
func skip(r *reader, op byte) bool {
	switch {
	case op == opBlock || op == opLoop || op == opIf:
		r.signed(33)
	case op == 0x0c || op == 0x0d, op >= opLocalGet && op <= 0x25, op == 0x3f || op == 0x40:
		r.u32()
	case op == opBrTable:
		for range r.count() + 1 {
			r.u32()
		}
	case op == opCallIndirect:
		r.u32()
		r.u32()
	case op == opSelectTyped:
		r.bytes()
	case op >= 0x28 && op <= 0x3e:
		r.u32()
		r.u32()
	case op == opI32Const:
		r.signed(32)
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
