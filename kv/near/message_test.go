package near

import (
	"testing"
	"time"
)

// TestMarkHolds sees that a heartbeat is too old as soon as one of the two
// clocks says so: the monotonic one stands still while a machine is suspended.
func TestMarkHolds(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	for _, tt := range []struct {
		mono, wall time.Duration
		want       bool
	}{
		{0, 0, true},
		{Lease - 1, Lease - 1, true},
		{Lease, Lease - 1, false},
		{Lease - 1, Lease, false},
		{time.Second, time.Hour, false},
		{time.Second, -time.Hour, true}, // the wall clock was set back
	} {
		now := begun.Add(tt.mono)
		m := &mark{begun: begun, wall: now.UnixNano() - int64(tt.wall)}
		if got := m.holds(now); got != tt.want {
			t.Errorf("%v later by the monotonic clock, %v by the wall clock: %t", tt.mono, tt.wall, got)
		}
	}
	if (*mark)(nil).holds(begun) {
		t.Error("no heartbeat holds")
	}
}

// FuzzDecodeMessage reads heartbeats from outside: what is read is written the
// same, and the rest is an error.
func FuzzDecodeMessage(f *testing.F) {
	f.Add(message{number: 1, position: 2, wish: 3}.encode())
	f.Add(append(message{number: 1<<64 - 1, position: 1 << 63, wish: 0}.encode(), "more"...))
	f.Add(message{}.encode()[:messageLength-1])
	f.Add([]byte{messageVersion + 1, 24: 0})
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := decodeMessage(data)
		readable := len(data) >= messageLength && data[0] == messageVersion
		if readable != (err == nil) {
			t.Fatalf("%x: %v", data, err)
		}
		if err == nil && string(m.encode()) != string(data[:messageLength]) {
			t.Fatalf("%x was read as %+v", data, m)
		}
	})
}
