package session

import (
	"bytes"
	"errors"
	"testing"
	"time"
)

// deviceRecord is a record with all of its parts.
func deviceRecord() rememberRecord {
	start := time.UnixMilli(1_700_000_000_123)
	return rememberRecord{
		user: "01JC0000000000000000000000", generation: 3, created: start, seen: start.Add(time.Hour), expires: start.Add(month),
		client: sample().client, notice: "error\tnotice.theft", current: digest("a", nil), previous: digest("b", nil),
	}
}

func TestDeviceRecordIsReadBack(t *testing.T) {
	t.Parallel()
	want := deviceRecord()
	good := want.encode()
	if got, err := decodeRememberRecord(good); err != nil || !bytes.Equal(got.encode(), good) || got.user != want.user || got.client != want.client {
		t.Errorf("got %+v, %v", got, err)
	}
	nobody := want
	nobody.user = ""
	cases := [][]byte{nil, []byte("{}"), append([]byte{9}, good[1:]...), append(bytes.Clone(good), 0), nobody.encode()}
	for i := range good {
		cases = append(cases, good[:i])
	}
	for _, b := range cases {
		if r, err := decodeRememberRecord(b); !errors.Is(err, errRecord) {
			t.Errorf("%x is read as %+v", b, r)
		}
	}
}

// FuzzDecodeRememberRecord holds that no bytes break the decoder and that each
// record has one encoding.
func FuzzDecodeRememberRecord(f *testing.F) {
	good := deviceRecord().encode()
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add(append(good, 0))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRememberRecord(b)
		if err == nil && !bytes.Equal(r.encode(), b) {
			t.Errorf("%x is read as %+v and written as %x", b, r, r.encode())
		}
	})
}
