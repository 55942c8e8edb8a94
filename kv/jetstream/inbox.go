package jetstream

import (
	"sync"

	"github.com/nats-io/nats.go"
)

// Bounds of an inbox. Beyond them the messages are dropped and read from the
// stream later, so a slow reader cannot use up the memory.
const (
	inboxMessages = 16384
	inboxBytes    = 16 << 20
)

// inbox holds live messages between the connection and a feed's reader.
type inbox struct {
	wake chan struct{} // has room for one signal

	mu    sync.Mutex
	msgs  []*nats.Msg
	bytes int
	lost  bool
}

// newInbox returns an empty inbox.
func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

// put is the handler of the subscription. It never blocks.
func (b *inbox) put(m *nats.Msg) {
	b.mu.Lock()
	b.msgs = append(b.msgs, m)
	b.bytes += len(m.Data)
	if len(b.msgs) > inboxMessages || b.bytes > inboxBytes {
		b.msgs, b.bytes, b.lost = nil, 0, true
	}
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take returns the oldest message, nil if there is none, and whether messages
// were dropped since the last call.
func (b *inbox) take() (m *nats.Msg, lost bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	lost, b.lost = b.lost, false
	if len(b.msgs) == 0 || lost {
		return nil, lost
	}
	m, b.msgs[0] = b.msgs[0], nil
	b.msgs = b.msgs[1:]
	b.bytes -= len(m.Data)
	return m, false
}
