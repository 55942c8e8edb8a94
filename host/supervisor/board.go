package supervisor

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// board is a page of memory that the workers share: who accepts, with how many
// connections, and who accepted last. All of it is advice for the order in
// which workers accept, so that a process which dies at any point leaves
// nothing locked and nothing wrong for long.
type board struct {
	file   *os.File
	memory []byte
	shared *boardMemory
}

// maxSlots is how many workers a board has room for.
const maxSlots = 255

// boardMemory is the layout of the page. Each worker writes its own slot; a
// slot has a cache line of its own, so that they do not slow one another down.
type boardMemory struct {
	last  atomic.Int32  // 1 + the index of the worker that accepted last
	taken atomic.Uint32 // how many connections were accepted; wraps around
	_     [56]byte
	slots [maxSlots]slot
}

// slot is the part of the board that belongs to one worker.
type slot struct {
	accepting atomic.Int32 // 1 while the worker takes connections
	open      atomic.Int32 // how many connections it has
	_         [56]byte
}

// newBoard makes a board for this many workers.
func newBoard(workers int) (*board, error) {
	if workers > maxSlots {
		return nil, fmt.Errorf("supervisor: %d workers, the most is %d", workers, maxSlots)
	}
	file, err := memoryFile("lectern-accept-board")
	if err != nil {
		return nil, fmt.Errorf("supervisor: make the accept board: %w", err)
	}
	if err := file.Truncate(int64(unsafe.Sizeof(boardMemory{}))); err != nil {
		file.Close()
		return nil, fmt.Errorf("supervisor: make the accept board: %w", err)
	}
	return openBoard(file)
}

// openBoard maps the board in file, which it closes with the board.
func openBoard(file *os.File) (*board, error) {
	memory, err := syscall.Mmap(int(file.Fd()), 0, int(unsafe.Sizeof(boardMemory{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("supervisor: map the accept board: %w", err)
	}
	return &board{file: file, memory: memory, shared: (*boardMemory)(unsafe.Pointer(&memory[0]))}, nil
}

// reset clears the slot of a worker whose process has ended.
func (b *board) reset(index int) {
	b.shared.slots[index].accepting.Store(0)
	b.shared.slots[index].open.Store(0)
}

// others reports whether, of the first workers slots, another than index
// accepts and should rather have the next connection.
func (b *board) others(index, workers int) bool {
	mine := b.load(index)
	for i := range workers {
		if i != index && b.shared.slots[i].accepting.Load() == 1 && b.load(i) < mine {
			return true
		}
	}
	return false
}

// load orders the workers: the one with the least takes the next connection.
// It is twice the number of a worker's connections, and three more for the one
// that accepted last: that one comes after a worker with one connection more,
// which is often one that has ended and is not closed yet. An order cannot
// make two workers wait for each other.
func (b *board) load(index int) int32 {
	load := 2 * b.shared.slots[index].open.Load()
	if b.shared.last.Load() == int32(index)+1 {
		load += 3
	}
	return load
}

// close gives the memory back. Nothing may use the board afterwards.
func (b *board) close() {
	syscall.Munmap(b.memory)
	b.file.Close()
}
