package near

import (
	"encoding/binary"
	"fmt"

	"github.com/lectern-lms/lectern/kv"
)

// message is the value of a heartbeat.
type message struct {
	number uint64
	// position is how far the writer's feed had come, zero without a feed: it
	// answers with nothing older any more.
	position kv.Revision
	// wish is how far the writer wants every member to be, zero if it does not
	// wait.
	wish kv.Revision
}

// The form of a message: a version, then three numbers, big-endian.
const (
	messageVersion = 1
	messageLength  = 1 + 3*8
)

// encode is the inverse of decodeMessage.
func (m message) encode() []byte {
	out := append(make([]byte, 0, messageLength), messageVersion)
	for _, n := range []uint64{m.number, uint64(m.position), uint64(m.wish)} {
		out = binary.BigEndian.AppendUint64(out, n)
	}
	return out
}

// decodeMessage reads a heartbeat. What a newer program may add is left out.
func decodeMessage(data []byte) (message, error) {
	if len(data) < messageLength || data[0] != messageVersion {
		return message{}, fmt.Errorf("near: a heartbeat of %d bytes has an unknown form; are all members of one program?", len(data))
	}
	n := func(i int) uint64 { return binary.BigEndian.Uint64(data[1+8*i:]) }
	return message{number: n(0), position: kv.Revision(n(1)), wish: kv.Revision(n(2))}, nil
}
