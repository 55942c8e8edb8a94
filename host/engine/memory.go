package engine

// wasmPage is the unit in which a linear memory grows.
const wasmPage = 64 << 10

// memory is the linear memory of one sandbox: an address range of its limit,
// of which the beginning is in use. It implements wazero's LinearMemory; how
// the range is made, and how it is brought back to an image, differs between
// systems.
type memory struct {
	space  space
	limit  int // the most bytes
	length int // in use
	// shrinkTo, if not 0, is what the next Reallocate answers with: wazero
	// can only grow a memory, but takes any slice for the grown one.
	shrinkTo int
}

// Reallocate gives the memory with a new length, or nil if it is over the
// limit.
func (m *memory) Reallocate(size uint64) []byte {
	if m.shrinkTo != 0 {
		m.length, m.shrinkTo = m.shrinkTo, 0
	} else {
		if size > uint64(m.limit) || m.space.commit(int(size)) != nil {
			return nil
		}
		m.length = int(size)
	}
	return m.space.bytes()[:m.length:m.length]
}

// Free gives the address range back.
func (m *memory) Free() { m.space.free() }

// allocator makes the memory of one sandbox; it is wazero's MemoryAllocator.
// A nil image means an empty memory. What went wrong is kept in err, since
// wazero does not ask and panics if it gets no memory.
type allocator struct {
	image  *image
	limit  int
	memory *memory
	err    error
}

// Allocate makes the address range; wazero asks for it once per instance, and
// then for the size that the instance begins with.
func (a *allocator) Allocate(size, _ uint64) linearMemory {
	s, err := newSpace(a.limit, a.image)
	if err == nil {
		if err = s.commit(int(size)); err != nil {
			s.free()
		}
	}
	if err != nil {
		a.err = err
		s = newCopySpace(nil)
	}
	a.memory = &memory{space: s, limit: a.limit}
	return a.memory
}

// space is what a sandbox's memory is made of.
type space interface {
	// bytes is the range; only what was committed may be touched. It may move
	// when more is committed.
	bytes() []byte
	// commit makes the range usable up to a length.
	commit(length int) error
	// restore brings the first length bytes back to the image, and everything
	// behind the image to zero. It returns how many bytes it wrote.
	restore(length int) (int, error)
	// resident is how many bytes of memory are this range's own, and keeps how
	// many may be after a restore.
	resident() int
	keeps() int
	free()
}
