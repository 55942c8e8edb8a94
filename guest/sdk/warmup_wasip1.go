package sdk

const (
	// readySize is the room for a page that lies ready in every handler's
	// image. A longer page moves to the heap, which costs it a copy.
	readySize = 64 << 10
	// warmedSize is up to which size Go's allocator is made ready, in bytes,
	// and warmedStep the least distance of its size classes.
	warmedSize, warmedStep = 1024, 8
)

// sink keeps the compiler from leaving out what warmHeap allocates.
var sink any

// warmHeap allocates something of each small size, with and without pointers,
// so that the allocator has a span of each at hand. To get the first one of a
// size costs more than a whole small request.
func warmHeap() {
	readyBody = make([]byte, 0, readySize)
	for size := warmedStep; size <= warmedSize; size += warmedStep {
		sink = make([]byte, size)
		sink = make([]*byte, size/warmedStep)
	}
	sink = nil
}
