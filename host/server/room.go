package server

import "sync"

// How large the rooms for pages are: at first, and when they are kept.
const (
	roomSize    = 16 << 10
	roomMaximum = 256 << 10
)

// room is memory for the body of a response, used again when it was sent:
// pages of some 10 KB for each request would be most of the garbage.
type room struct{ bytes []byte }

// rooms are those that nobody uses.
var rooms = sync.Pool{New: func() any { return &room{make([]byte, 0, roomSize)} }}

// takeRoom gives room for a body until giveBack.
func takeRoom() *room { return rooms.Get().(*room) }

// giveBack ends the use of the room; what was in it must have been sent.
func (r *room) giveBack() {
	if cap(r.bytes) <= roomMaximum {
		rooms.Put(r)
	}
}
