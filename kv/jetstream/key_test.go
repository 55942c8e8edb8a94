package jetstream

import (
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// TestEncodeKey fixes the encoding, which is on disks, and its greatest length.
func TestEncodeKey(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{
		"a":           "a",
		"a/b-c_D/9":   "a.b-c_D.9",
		"a.b":         "a=2Eb",
		"*/>":         "=2A.=3E",
		"=2E":         "=3D2E",
		"\x00\xff":    "=00=FF",
		"é":           "=C3=A9",
		"user@site.x": "user=40site=2Ex",
	} {
		if got := encodeKey(key); got != want {
			t.Errorf("encodeKey(%q) = %q, want %q", key, got, want)
		}
	}
	worst := len(encodeKey(strings.Repeat("\xff", kv.MaxKey)))
	if total := worst + len("PUB $JS.API.DIRECT.GET.KV_.$KV.. 1048576 1048576") + 2*maxBucketName + 128; worst != 3*kv.MaxKey || total > 4096 {
		t.Errorf("the longest key has %d bytes, a control line with it %d, the limit is 4096", worst, total)
	}
}

// FuzzKey sees that each key comes back from its encoding, and that no two
// encodings give the same key.
func FuzzKey(f *testing.F) {
	for _, seed := range []string{"a", "a/b", "a.b", "=2E", "\x00/\xff", "a=", "=4", "=zz", "=2e", "=41", "=2F", "é", "a..b", ".", " "} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if kv.CheckKey(s) == nil {
			enc := encodeKey(s)
			if back, err := decodeKey(enc); err != nil || back != s {
				t.Errorf("the key %q became %q and then %q, %v", s, enc, back, err)
			}
			if strings.ContainsFunc(enc, func(r rune) bool { return r != '.' && r != '=' && (r > 126 || !plain(byte(r))) }) {
				t.Errorf("the encoding %q of %q holds other bytes", enc, s)
			}
		}
		if key, err := decodeKey(s); err == nil && encodeKey(key) != s {
			t.Errorf("the encodings %q and %q give the same key %q", s, encodeKey(key), key)
		}
	})
}

// FuzzDecodeRecord feeds messages that nobody wrote to the decoder: it answers
// with an error or with a record that reads back the same.
func FuzzDecodeRecord(f *testing.F) {
	f.Add("$KV.b.a.b", "", "", encodeValue([]byte("value"), zeroTime))
	f.Add("$KV.b.a", "PURGE", "", []byte{})
	f.Add("$KV.b.a", "", "MaxAge", []byte{})
	f.Add("$KV.b.a", "", "", []byte{1, 255, 0, 0, 0, 0, 0, 0, 0, 0, 7})
	f.Add("$KV.b.a", "", "", []byte{1, 0, 255, 255, 255, 255, 255, 255, 255, 255})
	f.Add("$KV.b.", "", "", []byte("plain text"))
	f.Add("$KV.other.a", "", "", []byte{})
	s := newStore(nil, Bucket{Name: "b", Replicas: 1})
	f.Fuzz(func(t *testing.T, subject, op, marker string, data []byte) {
		h := nats.Header{headerOperation: {op}, headerMarker: {marker}}
		r, err := s.decodeRecord(subject, 7, zeroTime, h, data)
		if err != nil {
			return
		}
		if s.subject(r.entry.Key) != subject || r.entry.Revision != 7 {
			t.Errorf("the subject %q became %+v", subject, r.entry)
		}
		if r.kind != kv.EventPut {
			return
		}
		value, expires, err := decodeValue(encodeValue(r.entry.Value, r.entry.Expires))
		if err != nil || string(value) != string(r.entry.Value) || !expires.Equal(r.entry.Expires) {
			t.Errorf("%+v was written and read as %q, %v, %v", r.entry, value, expires, err)
		}
	})
}
