package rewrite

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

// meter decides where a function pays fuel. Every byte of code is paid for by
// a payment that always runs before it: the check at the entry of the function
// or at the head of the innermost loop around it, or, behind the first
// spanBytes, a debit that takes fuel and does not look whether any is left. So
// the work between two checks is bounded by the length of the function, and a
// loop pays for each turn.
type meter struct {
	fuel, yield, local uint32
	payments           []payment
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

// begin prepares for a function. The fuel is in a global, yield is the
// function to call when none is left, and local is a variable of the function.
func (m *meter) begin(fuel, yield, local uint32) {
	m.fuel, m.yield, m.local = fuel, yield, local
	m.payments, m.outer, m.blocks = m.payments[:0], m.outer[:0], 0
}

// check adds code that takes fuel and yields if none is left:
//
//	fuel = local = fuel - units
//	if local <= 0 { yield() }
func (m *meter) check(out []byte) []byte {
	out = m.pay(out, opLocalTee)
	out = appendU32(out, m.local)
	out = appendU32(append(out, opGlobalSet), m.fuel)
	out = appendU32(append(out, opLocalGet), m.local)
	return m.yieldIfNone(out)
}

// debit adds code that takes fuel: fuel = fuel - units.
func (m *meter) debit(out []byte) []byte {
	return appendU32(m.pay(out, opGlobalSet), m.fuel)
}

// pay adds the subtraction of a number of units that finish fills in, and the
// opcode of what follows it.
func (m *meter) pay(out []byte, then byte) []byte {
	out = appendU32(append(out, opGlobalGet), m.fuel)
	out = append(out, opI32Const, 0, opI32Sub, then)
	m.current = len(m.payments)
	m.payments = append(m.payments, payment{at: len(out) - 3})
	return out
}

func (m *meter) yieldIfNone(out []byte) []byte {
	m.blocks += 3
	out = append(out, opI32Const, 0, opI32LeS, opIf, blockEmpty, opCall)
	return append(appendU32(out, m.yield), opEnd)
}

// bulk adds code before a bulk memory instruction, whose length is on top of
// the stack, that takes fuel by that length.
func (m *meter) bulk(out []byte) []byte {
	out = appendU32(append(out, opLocalSet), m.local)
	out = appendU32(append(out, opGlobalGet), m.fuel)
	out = appendU32(append(out, opLocalGet), m.local)
	out = append(out, opI32Const, bulkShift, opI32ShrU, opI32Sub, opGlobalSet)
	out = appendU32(out, m.fuel)
	out = m.yieldIfNone(appendU32(append(out, opGlobalGet), m.fuel))
	return appendU32(append(out, opLocalGet), m.local)
}

// before is called before an instruction is copied.
func (m *meter) before(out []byte, op byte) []byte {
	last := len(m.outer) - 1
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

// after is called when an instruction with immediates of some bytes was
// copied. It adds the check behind the head of a loop.
func (m *meter) after(out []byte, op byte, immediates int) []byte {
	if op == opElse || op == opEnd {
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
		out = m.check(out)
	}
	return out
}

// finish fills in how much each payment takes: less than 64 units, so that
// the number is one byte.
func (m *meter) finish(out []byte) {
	for _, p := range m.payments {
		out[p.at] = byte(1 + p.bytes/unitBytes)
	}
}
