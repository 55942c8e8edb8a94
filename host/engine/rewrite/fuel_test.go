package rewrite_test

import (
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/host/engine/rewrite"
	. "github.com/lectern-lms/lectern/host/engine/wasmtest"
)

// countdown is a loop of n turns around a body; n is parameter 0.
func countdown(body ...[]byte) []byte {
	return Ops(Op(Loop, Empty), Ops(body...), Op(LocalGet, 0), I32(1), Op(I32Sub), Op(LocalTee, 0), Op(BrIf, 0), Op(End))
}

// nops is code that does nothing for so many bytes.
func nops(n int) []byte { return []byte(strings.Repeat("\x01", n)) }

// TestFuel checks what work costs. The bounds are wide enough for another
// price list and too narrow for work that is free.
func TestFuel(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		code        []byte
		n           uint64
		least, most int
	}{
		{"entry", nil, 0, 1, 1},
		{"empty loop", countdown(), 5000, 5000, 10_100},
		{"loop in a loop", countdown(countdown(nops(2)), I32(1), Op(LocalSet, 0)), 1, 2, 10},
		{"one long turn", countdown(nops(100_000)), 1, 1500, 2000},
		{"long turns", countdown(nops(100_000)), 100, 150_000, 200_000},
		{"long turns behind blocks that are skipped", countdown([]byte(strings.Repeat(
			string(Ops(Op(Block, Empty), I32(1), Op(BrIf, 0), nops(1500), Op(End), nops(900))), 50))), 10, 6000, 9000},
		{"long branches", Ops(I32(1), Op(If, Empty), nops(64_000), Op(Else), nops(640_000), Op(End), nops(64_000)), 0, 1900, 2200},
		{"what is skipped is free", Ops(Op(Block, Empty), I32(1), Op(BrIf, 0), nops(500_000), Op(End)), 0, 1, 40},
		{"fill", countdown(I32(0), I32(1), I32(60_000), Bulk(MemoryFill, 0)), 100, 23_000, 24_500},
		{"copy", countdown(I32(0), I32(1), I32(60_000), Bulk(MemoryCopy, 0, 0)), 100, 23_000, 24_500},
		{"init", countdown(I32(0), I32(0), I32(600), Bulk(MemoryInit, 0, 0)), 100, 300, 500},
		{"calls", countdown(Op(Call, 0)), 1000, 2000, 2500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var m Module
			m.Memory(1, 0)
			m.CountData = true
			m.DataRaw([]byte{1}, Sized(make([]byte, 600)))
			m.Func("", "", "")
			m.Export("run", KindFunction, m.Func("i", "", "", tt.code))
			module, err := rewrite.Rewrite(m.Bytes())
			if err != nil {
				t.Fatal(err)
			}
			got := runRewritten(t, module, []invocation{do("run", tt.n)})
			if got.fuelUsed < tt.least || got.fuelUsed > tt.most || (tt.n > 1 && got.fuelUsed > 3*share && got.yields == 0) {
				t.Errorf("%d units in %d yields, want %d to %d: %q", got.fuelUsed, got.yields, tt.least, tt.most, got.lines)
			}
		})
	}
}

// TestYieldBetweenBulkInstructions checks that a function that does nothing
// but write all of its memory again and again is stopped on the way.
func TestYieldBetweenBulkInstructions(t *testing.T) {
	t.Parallel()
	const fills = 500
	var m Module
	m.Memory(8, 0)
	fill := string(Ops(I32(0), I32(1), I32(8<<16), Bulk(MemoryFill, 0)))
	m.Export("run", KindFunction, m.Func("", "", "", []byte(strings.Repeat(fill, fills))))
	module, err := rewrite.Rewrite(m.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if got := runRewritten(t, module, []invocation{do("run")}); got.yields < fills {
		t.Errorf("%d yields in %d fills", got.yields, fills)
	}
}

// TestMemoryLimits checks that the maximum is taken out and reported.
func TestMemoryLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ least, most, wantMost uint32 }{{1, 2, 2}, {3, 0, 65536}, {0, 65536, 65536}, {5, 5, 5}} {
		var m Module
		m.Memory(tt.least, tt.most)
		module, err := rewrite.Rewrite(m.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if module.MinPages != tt.least || module.MaxPages != tt.wantMost {
			t.Errorf("memory %d to %d: got %d to %d", tt.least, tt.most, module.MinPages, module.MaxPages)
		}
		if strings.Contains(string(module.Wasm), string(Ops([]byte{1, 1}, U32(tt.least), U32(tt.most)))) {
			t.Errorf("memory %d to %d: its maximum is still there", tt.least, tt.most)
		}
	}
}
