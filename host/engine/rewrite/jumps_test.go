package rewrite_test

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// brTable is br_table with its depths, the last one for all other values.
func brTable(depths ...uint32) []byte {
	return Op(0x0e, append([]uint32{uint32(len(depths) - 1)}, depths...)...)
}

// jump is how the Go compiler goes to a place: by a number in local 0 and the
// loop at some depth.
func jump(place int32, depth uint32) []byte {
	return Ops(I32(place), Op(LocalSet, 0), Op(Br, depth))
}

// TestJumpAhead checks that a jump ahead leaves the block before its target,
// and that those which are none stay as they are.
func TestJumpAhead(t *testing.T) {
	t.Parallel()
	nop := []byte{1}
	for _, tt := range []struct {
		name string
		head []byte // behind the blocks
		code []byte // in the first place, inside two blocks and the loop
		want []byte // what is in the rewritten code
	}{
		{"ahead", Op(LocalGet, 0), jump(2, 2), jump(2, 1)},
		{"to the next place", Op(LocalGet, 0), jump(1, 2), jump(1, 0)},
		{"by a value behind the table", Op(LocalGet, 0), jump(99, 2), jump(99, 1)},
		{"by a negative value", Op(LocalGet, 0), jump(-1, 2), jump(-1, 1)},
		{"out of an if", Op(LocalGet, 0), Ops(Op(LocalGet, 1), Op(If, Empty), jump(2, 3), Op(End)), jump(2, 2)},
		{"back", Op(LocalGet, 0), jump(0, 2), jump(0, 2)},
		{"by another variable", Op(LocalGet, 1), jump(2, 2), jump(2, 2)},
		{"not behind the head of the loop", Ops(nop, Op(LocalGet, 0)), jump(2, 2), jump(2, 2)},
		{"not right behind the number", Op(LocalGet, 0), Ops(I32(2), Op(LocalSet, 0), nop, Op(Br, 2)), Ops(Op(LocalSet, 0), nop, Op(Br, 2))},
		{"by a variable that was read", Op(LocalGet, 0), Ops(Op(LocalGet, 1), Op(LocalSet, 0), Op(Br, 2)), Ops(Op(LocalSet, 0), Op(Br, 2))},
	} {
		var m Module
		m.Memory(1, 0)
		m.Export("run", KindFunction, m.Func("i", "", "i", Op(Loop, Empty), Op(Block, Empty), Op(Block, Empty), Op(Block, Empty),
			tt.head, brTable(0, 1, 2), Op(End), tt.code, Op(Return), Op(End), Op(Return), Op(End), Op(End)))
		module, err := rewrite.Rewrite(m.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !bytes.Contains(module.Wasm, tt.want) {
			t.Errorf("%s: the rewritten code has not % x", tt.name, tt.want)
		}
		if !bytes.Contains(tt.code, tt.want) && bytes.Contains(module.Wasm, tt.code) {
			t.Errorf("%s: the rewritten code still has % x", tt.name, tt.code)
		}
	}
}

// maze is a function in the manner of the Go compiler that jumps about at
// random, says where it is, and ends after a number of places.
func maze(random *rand.Rand, say uint32) []byte {
	places := 2 + random.IntN(6)
	n := uint32(places)
	code := [][]byte{I32(int32(20 + random.IntN(30))), Op(LocalSet, 1), Op(Block, Empty), Op(Loop, Empty)}
	var depths []uint32
	for range places {
		code = append(code, Op(Block, Empty))
	}
	for range places + random.IntN(4) {
		depths = append(depths, random.Uint32N(n))
	}
	if random.IntN(8) == 0 {
		code = append(code, []byte{1}) // not in the manner of the Go compiler
	}
	code = append(code, Op(LocalGet, uint32(random.IntN(9)/8)), brTable(depths...))
	for place := range n {
		loop := n - 1 - place // the depth of the loop here
		code = append(code, Op(End), I64(int64(place)), Op(Call, say),
			Op(LocalGet, 1), I32(1), Op(I32Sub), Op(LocalTee, 1), Op(I32Eqz), Op(BrIf, loop+1))
		target := int32(random.IntN(places+3)) - 1
		switch random.IntN(7) {
		case 0: // goes on to the next place
		case 1, 2:
			code = append(code, jump(target, loop))
		case 3:
			code = append(code, Op(LocalGet, 1), I32(1), []byte{0x71}, Op(If, Empty), jump(target, loop+1), Op(End)) // i32.and
		case 4:
			code = append(code, Op(Block, Empty), Op(LocalGet, 1), I32(3), []byte{0x71}, Op(BrIf, 0), jump(target, loop+1), Op(End))
		case 5:
			code = append(code, I32(target), Op(LocalSet, 0), []byte{1}, Op(Br, loop))
		case 6:
			code = append(code, I32(target), Op(LocalTee, 0), Op(Drop), Op(LocalGet, 1), Op(LocalSet, 0), Op(Br, loop))
		}
	}
	return Ops(append(code, Op(End), Op(End))...)
}

// TestMazes lets functions jump about, as they are and rewritten.
func TestMazes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		random := rand.New(rand.NewPCG(seed, 1))
		var m Module
		say := m.Import("env", "say", "l", "")
		m.Memory(1, 0)
		m.Export("run", KindFunction, m.Func("i", "", "i", maze(random, say)))
		var calls []invocation
		for place := range uint64(6) {
			calls = append(calls, do("run", place))
		}
		want := runOriginal(t, m.Bytes(), calls)
		module, err := rewrite.Rewrite(m.Bytes())
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got := runRewritten(t, module, calls); !slices.Equal(got.lines, want.lines) {
			t.Fatalf("seed %d: rewritten:\n%q\nas it was:\n%q", seed, got.lines, want.lines)
		}
		if len(want.lines) < 10 {
			t.Errorf("seed %d: the maze said %q only", seed, want.lines)
		}
	}
}
