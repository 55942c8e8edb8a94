package wasmtest

import "slices"

// Opcodes that tests use by name.
const (
	Unreachable  = 0x00
	Block        = 0x02
	Loop         = 0x03
	If           = 0x04
	Else         = 0x05
	End          = 0x0b
	Br           = 0x0c
	BrIf         = 0x0d
	Return       = 0x0f
	Call         = 0x10
	CallIndirect = 0x11
	Drop         = 0x1a
	LocalGet     = 0x20
	LocalSet     = 0x21
	LocalTee     = 0x22
	GlobalGet    = 0x23
	GlobalSet    = 0x24
	I32Load      = 0x28
	I64Load      = 0x29
	I32Store     = 0x36
	I64Store     = 0x37
	MemorySize   = 0x3f
	MemoryGrow   = 0x40
	I32Eqz       = 0x45
	I32Add       = 0x6a
	I32Sub       = 0x6b
	I32Mul       = 0x6c
	I64Add       = 0x7c
	I64Extend    = 0xad // i64.extend_i32_u
	RefNull      = 0xd0
	RefFunc      = 0xd2
	Empty        = 0x40 // the type of a block without a value
)

// Instructions behind the prefix 0xfc.
const (
	MemoryInit = 8
	DataDrop   = 9
	MemoryCopy = 10
	MemoryFill = 11
	TableInit  = 12
	ElemDrop   = 13
	TableCopy  = 14
	TableGrow  = 15
	TableSize  = 16
	TableFill  = 17
)

// Op is an instruction with unsigned immediates.
func Op(op byte, immediates ...uint32) []byte {
	out := []byte{op}
	for _, n := range immediates {
		out = append(out, U32(n)...)
	}
	return out
}

// Bulk is an instruction behind the prefix 0xfc.
func Bulk(op uint32, immediates ...uint32) []byte {
	return Op(0xfc, append([]uint32{op}, immediates...)...)
}

// I32 is i32.const.
func I32(n int32) []byte { return append([]byte{0x41}, signed(int64(n))...) }

// I64 is i64.const.
func I64(n int64) []byte { return append([]byte{0x42}, signed(n)...) }

// Ops joins instructions.
func Ops(parts ...[]byte) []byte { return slices.Concat(parts...) }

// signed encodes a signed number.
func signed(n int64) []byte {
	var out []byte
	for {
		b := byte(n & 0x7f)
		n >>= 7
		if n == 0 && b&0x40 == 0 || n == -1 && b&0x40 != 0 {
			return append(out, b)
		}
		out = append(out, b|0x80)
	}
}
