package rewrite

import (
	"encoding/binary"
	"fmt"
)

// reader takes bytes apart. After the first fault it only gives zero values.
type reader struct {
	rest []byte
	bad  bool
}

// fault reports ErrMalformed if a read failed or bytes are left over.
func (r *reader) fault(what string) error {
	if r.bad || len(r.rest) > 0 {
		return fmt.Errorf("%w: %s cannot be read", ErrMalformed, what)
	}
	return nil
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.rest) {
		r.bad = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) byte() byte {
	b := r.take(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// u32 reads an unsigned LEB128 number of at most 32 bits.
func (r *reader) u32() uint32 {
	n, size := binary.Uvarint(r.rest)
	if r.bad || size <= 0 || size > 5 || n > 1<<32-1 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return uint32(n)
}

// signed reads a signed LEB128 number of at most the given bits.
func (r *reader) signed(bits int) int64 {
	var n int64
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte()
		n |= int64(b&0x7f) << shift
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift+7 < 64 {
				n |= -1 << (shift + 7)
			}
			return n
		}
	}
	r.bad = true
	return 0
}

// bytes reads a length and that many bytes.
func (r *reader) bytes() []byte { return r.take(int(r.u32())) }

// limits reads the size that a table or memory begins with, and its largest.
func (r *reader) limits() (low, high uint32) {
	flags := r.byte()
	low, high = r.u32(), 1<<32-1
	if flags == 1 {
		high = r.u32()
	}
	if flags > 1 {
		r.bad = true
	}
	return low, high
}

// count reads the length of a vector whose items take at least a byte each.
func (r *reader) count() int {
	n := r.u32()
	if uint64(n) > uint64(len(r.rest)) || n > maxItems {
		r.bad = true
		return 0
	}
	return int(n)
}

// appendU32 adds an unsigned LEB128 number.
func appendU32(b []byte, n uint32) []byte { return binary.AppendUvarint(b, uint64(n)) }

// appendSized adds a length and the bytes.
func appendSized(b, body []byte) []byte { return append(appendU32(b, uint32(len(body))), body...) }
