package redis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// head is the head of a record as the scripts write it.
func head(kind kv.EventKind, rev, micros, millis uint64) string {
	b := []byte{recordMagic, recordVersion, byte(kind)}
	for _, n := range []uint64{rev, micros, millis} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return string(b)
}

// TestDecodeRecord reads records of all kinds, and says what is wrong with
// what is none.
func TestDecodeRecord(t *testing.T) {
	t.Parallel()
	good := head(kv.EventPut, 7, 1_700_000_000_123_456, 1_700_000_005_000) + encodeValue("a/b", []byte("value"))
	r, err := decodeRecord("a/b", good)
	if err != nil || string(r.entry.Value) != "value" || r.entry.Revision != 7 || r.entry.Key != "a/b" ||
		!r.entry.Modified.Equal(time.UnixMicro(1_700_000_000_123_456)) || !r.entry.Expires.Equal(time.UnixMilli(1_700_000_005_000)) {
		t.Fatalf("%+v, %v", r, err)
	}
	if !r.alive(r.entry.Expires.Add(-time.Millisecond)) || r.alive(r.entry.Expires) {
		t.Error("the expiry is not exact")
	}
	for _, kind := range []kv.EventKind{kv.EventDelete, kv.EventExpire} {
		if r, err := decodeRecord("k", head(kind, 1, 1, 0)); err != nil || r.kind != kind || r.alive(time.Now()) {
			t.Errorf("kind %d: %+v, %v", kind, r, err)
		}
	}
	for _, tt := range []struct{ name, data, says string }{
		{"empty", "", "0 bytes"},
		{"short", good[:headSize-1], "26 bytes"},
		{"of another program", "some other text that is long enough", "another program"},
		{"version", "L\x02" + good[2:], "version 2"},
		{"kind", "L\x01\x09" + good[3:], "kind 9"},
		{"revision", head(kv.EventPut, maxRevision+1, 1, 0) + good[headSize:], "out of range"},
		{"no revision", head(kv.EventPut, 0, 1, 0) + good[headSize:], "out of range"},
		{"time", head(kv.EventPut, 1, 1<<63, 0) + good[headSize:], "out of range"},
		{"expiry", head(kv.EventPut, 1, 1, 1<<63) + good[headSize:], "out of range"},
		{"no sum", good[:headSize+sumSize-1], "cut off"},
		{"cut", good[:len(good)-1], "checksum"},
		{"altered", good[:len(good)-1] + "X", "checksum"},
		{"tombstone with a value", head(kv.EventDelete, 1, 1, 0) + "x", "tombstone"},
		{"tombstone with an expiry", head(kv.EventExpire, 1, 1, 5), "tombstone"},
	} {
		if _, err := decodeRecord("a/b", tt.data); !errors.Is(err, errMalformed) || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "a/b") {
			t.Errorf("%s: %v, want it to say %q", tt.name, err, tt.says)
		}
	}
	if _, err := decodeRecord("a/c", good); !errors.Is(err, errMalformed) {
		t.Errorf("the value of another key: %v", err)
	}
}

// FuzzDecodeRecord sees that no bytes break the decoder, and that what it
// takes is exactly what encoding gives.
func FuzzDecodeRecord(f *testing.F) {
	f.Add("a/b", head(kv.EventPut, 7, 1_700_000_000_123_456, 1_700_000_005_000)+encodeValue("a/b", []byte("value")))
	f.Add("k", head(kv.EventPut, maxRevision, 0, 0)+encodeValue("k", nil))
	f.Add("k", head(kv.EventDelete, 1, 1, 0))
	f.Add("k", head(kv.EventExpire, 1, 1, 1))
	f.Add("", "L\x01\x01")
	f.Fuzz(func(t *testing.T, key, data string) {
		r, err := decodeRecord(key, data)
		if err != nil {
			if !errors.Is(err, errMalformed) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		millis := uint64(0)
		if !r.entry.Expires.IsZero() {
			millis = uint64(r.entry.Expires.UnixMilli())
		}
		again := head(r.kind, uint64(r.entry.Revision), uint64(r.entry.Modified.UnixMicro()), millis)
		if r.kind == kv.EventPut {
			again += encodeValue(key, r.entry.Value)
		} else if len(r.entry.Value) != 0 {
			t.Error("a tombstone has a value")
		}
		if !bytes.Equal([]byte(again), []byte(data)) {
			t.Errorf("%q was read as what is written %q", data, again)
		}
	})
}

// TestParseGaps reads what a bucket lists.
func TestParseGaps(t *testing.T) {
	t.Parallel()
	v := view{}
	var err error
	if v.gaps, err = parseGaps("5-9,12-20"); err != nil {
		t.Fatal(err)
	}
	for rev, want := range map[uint64]bool{1: false, 5: false, 6: true, 8: true, 9: false, 11: false, 13: true, 20: false, 21: false} {
		if v.lost(rev) != want {
			t.Errorf("revision %d: lost is %v", rev, !want)
		}
	}
	for _, bad := range []string{"5", "5-", "-5", "a-b", "9-5", "1-2,", "1-99999999999999999999"} {
		if _, err := parseGaps(bad); !errors.Is(err, errMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if gaps, err := parseGaps(""); err != nil || gaps != nil {
		t.Errorf("none: %v, %v", gaps, err)
	}
}
