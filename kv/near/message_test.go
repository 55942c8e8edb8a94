package near

import "testing"

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
