package rewrite

import "slices"

// What fuel pays for. One unit is 64 bytes of code, some 20 instructions, or
// 256 bytes that a bulk memory instruction writes.
const (
	unitBytes = 64
	bulkShift = 8
	// spanBytes is how much code one check pays for in advance. More would
	// make a short turn through a long loop dear; less would grow the code.
	spanBytes = 1024
	// longInstruction is the most that one instruction counts for: a br_table
	// is as quick with a thousand targets as with one.
	longInstruction = 16
)

// leafBytes is the length up to which a function without calls, loops and
// branches only pays a debit: its callers look whether fuel is left.
const leafBytes = 128

// meter decides where a function pays fuel. Every byte of code is paid for by
// a payment that always runs with it: the check at the entry of the function
// or at the head of the innermost loop around it, or, behind the first
// spanBytes, a debit that takes fuel and does not look whether any is left. So
// the work between two checks is bounded by the length of the function, and a
// loop pays for each turn.
//
// A check must not make its surroundings slow. Behind a call wazero reads the
// place of the memory and all globals again, so where the way through the yield
// meets the other way, the registers of both must be brought into line, which
// costs more than the check. So the ways do not meet: behind the yield a loop
// begins its turn again, and a function calls itself again.
type meter struct {
	off                bool // see Unmetered
	fuel, yield, local uint32
	self, parameters   uint32
	// start is where the code of the function begins. The check of the entry,
	// payment 0, goes there, but only when pending ends: at the first
	// instruction that may lead elsewhere. If that is the head of a loop, the
	// loop's check serves for both.
	start    int
	pending  bool
	payments []payment
	// blocks counts what the compiler takes for straight code in the function.
	blocks uint64
	// current is the payment that pays for the next instruction, and outer
	// are those of the blocks around, to go back to where each ends: what
	// runs behind a block need not have run through it.
	current int
	outer   []int
}

// payment is a place where fuel is taken.
type payment struct {
	// at is where the code has the number of units, one byte long.
	at    int
	bytes int // paid for
}

// begin prepares for a function whose code will start behind out. Parameters is
// their number, and self the new index of the function.
func (m *meter) begin(out []byte, self, parameters, local uint32) {
	m.start, m.self, m.parameters, m.local = len(out), self, parameters, local
	m.payments, m.outer, m.blocks = append(m.payments[:0], payment{}), m.outer[:0], 0
	m.current, m.pending = 0, !m.off
}

// take adds code that takes fuel and leaves the condition that none is left:
//
//	fuel = local = fuel - units
//	local <= 0
func (m *meter) take(out []byte) []byte {
	m.blocks += 3
	out = m.pay(out, opLocalTee)
	out = appendU32(out, m.local)
	out = appendU32(append(out, opGlobalSet), m.fuel)
	out = appendU32(append(out, opLocalGet), m.local)
	return append(out, opI32Const, 0, opI32LeS)
}

// debit adds code that takes fuel: fuel = fuel - units.
func (m *meter) debit(out []byte) []byte {
	return appendU32(m.pay(out, opGlobalSet), m.fuel)
}

// pay adds the subtraction of a number of units that finish fills in, and the
// opcode of what follows it. It is the payment of the entry if that is still
// to come, else a new one.
func (m *meter) pay(out []byte, then byte) []byte {
	out = appendU32(append(out, opGlobalGet), m.fuel)
	out = append(out, opI32Const, 0, opI32Sub, then)
	if !m.pending {
		m.current = len(m.payments)
		m.payments = append(m.payments, payment{})
	}
	m.pending = false
	m.payments[m.current].at = len(out) - 3
	return out
}

// ifNone adds the beginning of what happens when no fuel is left.
func (m *meter) ifNone(out []byte) []byte {
	return appendU32(append(out, opIf, blockEmpty, opCall), m.yield)
}

// checkEntry puts the check of the entry before the code that there is so far:
//
//	if fuel is used up { yield(); return self(parameters...) }
func (m *meter) checkEntry(out []byte) []byte {
	code := slices.Clone(out[m.start:])
	out = m.ifNone(m.take(out[:m.start]))
	for i := range m.parameters {
		out = appendU32(append(out, opLocalGet), i)
	}
	out = appendU32(append(out, opCall), m.self)
	return append(append(out, opReturn, opEnd), code...)
}

// checkLoop adds the check at the head of a loop:
//
//	if fuel is used up { yield(); continue }
//
// A loop with parameters, which compilers hardly make, cannot begin again.
func (m *meter) checkLoop(out []byte, hasParameters bool) []byte {
	out = m.ifNone(m.take(out))
	if !hasParameters {
		out = append(out, opBr, 1)
	}
	return append(out, opEnd)
}

// bulk adds code before a bulk memory instruction, whose length is on top of
// the stack, that takes fuel by that length.
func (m *meter) bulk(out []byte) []byte {
	if m.off {
		return out
	}
	out = appendU32(append(out, opLocalSet), m.local)
	out = appendU32(append(out, opGlobalGet), m.fuel)
	out = appendU32(append(out, opLocalGet), m.local)
	out = append(out, opI32Const, bulkShift, opI32ShrU, opI32Sub, opGlobalSet)
	out = appendU32(out, m.fuel)
	out = appendU32(append(out, opGlobalGet), m.fuel)
	out = append(m.ifNone(append(out, opI32Const, 0, opI32LeS)), opEnd)
	m.blocks += 3
	return appendU32(append(out, opLocalGet), m.local)
}

// before is called before an instruction is copied.
func (m *meter) before(out []byte, op byte) []byte {
	if m.off {
		return out
	}
	last := len(m.outer) - 1
	if m.pending {
		out = m.enter(out, op, last < 0)
	}
	switch {
	case op == opElse && last >= 0:
		m.current = m.outer[last]
	case op == opEnd && last >= 0:
		m.current, m.outer = m.outer[last], m.outer[:last]
	case op == opElse || op == opEnd:
	default:
		if m.payments[m.current].bytes >= spanBytes {
			return m.debit(out)
		}
	}
	return out
}

// enter adds the payment of the entry before an instruction that may go
// elsewhere, or behind a long way without one.
func (m *meter) enter(out []byte, op byte, outermost bool) []byte {
	switch {
	case op == opEnd && outermost && m.payments[0].bytes <= leafBytes:
		return m.debit(out)
	case op == opEnd && outermost, op == opIf, op >= opBr && op <= opCallIndirect, op == opPrefix, m.payments[0].bytes >= spanBytes:
		return m.checkEntry(out)
	}
	return out
}

// after is called when an instruction with immediates of some bytes was
// copied. It adds the check behind the head of a loop, which may have
// parameters.
func (m *meter) after(out []byte, op byte, immediates int, hasParameters bool) []byte {
	if m.off || op == opElse || op == opEnd {
		return out
	}
	m.payments[m.current].bytes += min(1+immediates, longInstruction)
	switch op {
	case opBlock, opIf, opLoop, opBrIf:
		m.blocks++
	}
	switch op {
	case opBlock, opIf:
		m.outer = append(m.outer, m.current)
	case opLoop:
		m.outer = append(m.outer, m.current)
		out = m.checkLoop(out, hasParameters)
	}
	return out
}

// finish fills in how much each payment takes: less than 64 units, so that
// the number is one byte.
func (m *meter) finish(out []byte) {
	if m.off {
		return
	}
	for _, p := range m.payments {
		out[p.at] = byte(1 + p.bytes/unitBytes)
	}
}
