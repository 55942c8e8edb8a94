package rewrite

// The Go compiler has only WebAssembly's structured control flow to express
// jumps with. It wraps each function's body in a loop that begins with a table,
//
//	loop block block ... local.get pc br_table ... end ... end ... end
//
// and makes every jump, forward or back, by setting pc and going back to the
// loop: `i32.const 7, local.set pc, br loop`. A jump ahead can leave the block
// at whose end its target lies just as well. That spares the way through the
// check and the table, and lets the compiler see where the jump goes: a page
// in a pristine sandbox takes no longer than in an instance of the module as
// it was compiled, without any checks.
//
// Nothing is guessed about the module: the pair of constant and local variable
// stands right before the branch, the table and the blocks stand right behind
// the head of the loop, and the block to leave is still open at the branch.
// Fuel stays bounded, since code is paid for by where it stands (see meter) and
// no jump that is made shorter goes back.

// label is one of the blocks around an instruction.
type label struct {
	id int // never used twice in a function
	// empty says that the block has neither parameters nor results.
	empty bool
	// table is where jumps to this loop lead; nil if it does not begin so.
	table *table
}

// table is what a loop begins with: the labels by the value of a local
// variable, the last one for all other values.
type table struct {
	local  uint32
	labels []int // ids
}

// jumps follows the blocks of a function and what stands before a branch.
type jumps struct {
	labels []label
	made   int
	// opening is the place among labels of a loop of which only blocks were
	// read so far, -1 if there is none.
	opening int
	// got says that the instruction before was a local.get of local.
	got bool
	// constant says that the instruction before was an i32.const of value, and
	// assigned that after such a one came a local.set of local.
	constant, assigned bool
	local              uint32
	value              int64
}

// begin starts a function.
func (j *jumps) begin() {
	*j = jumps{labels: append(j.labels[:0], label{}), opening: -1}
}

// emptyKind is the type of a block without parameters and results.
const emptyKind = -64

// enter notes a block, a loop or an if.
func (j *jumps) enter(op byte, empty bool) {
	j.made++
	j.labels = append(j.labels, label{id: j.made, empty: empty})
	opening := j.opening
	if op == opLoop {
		opening = len(j.labels) - 1
	}
	j.forget()
	j.opening = opening
}

// leave notes the end of a block.
func (j *jumps) leave() {
	j.labels = j.labels[:max(len(j.labels)-1, 0)]
	j.forget()
}

// forget notes an instruction that has no part in a jump.
func (j *jumps) forget() { j.opening, j.got, j.constant, j.assigned = -1, false, false, false }

// get notes a local.get.
func (j *jumps) get(local uint32) {
	opening := j.opening
	j.forget()
	j.opening, j.got, j.local = opening, opening >= 0, local
}

// push notes an i32.const.
func (j *jumps) push(value int64) {
	j.forget()
	j.constant, j.value = true, value
}

// set notes a local.set.
func (j *jumps) set(local uint32) {
	constant := j.constant
	j.forget()
	j.assigned, j.local = constant, local
}

// dispatch notes a br_table with the depths that it leads to.
func (j *jumps) dispatch(depths []uint32) {
	if j.opening >= 0 && j.got && j.labels[j.opening].empty {
		t := &table{local: j.local}
		for _, d := range depths {
			id := -1
			if at := len(j.labels) - 1 - int(d); at >= 0 && j.labels[at].empty {
				id = j.labels[at].id
			}
			t.labels = append(t.labels, id)
		}
		j.labels[j.opening].table = t
	}
	j.forget()
}

// shorten gives the depth that a br with some depth can have instead.
func (j *jumps) shorten(depth uint32) uint32 {
	assigned, local, value := j.assigned, j.local, j.value
	j.forget()
	at := len(j.labels) - 1 - int(depth)
	if !assigned || at < 0 {
		return depth
	}
	t := j.labels[at].table
	if t == nil || t.local != local {
		return depth
	}
	id := t.labels[len(t.labels)-1]
	if value >= 0 && value < int64(len(t.labels)) {
		id = t.labels[value]
	}
	for open := len(j.labels) - 1; open > at; open-- {
		if j.labels[open].id == id && id > 0 {
			return uint32(len(j.labels) - 1 - open)
		}
	}
	return depth
}
