package session

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"
)

// sample is a record with all of its parts.
func sample() record {
	start := time.UnixMilli(1_700_000_000_123)
	return record{
		user: "01JC0000000000000000000000", generation: 7, created: start, seen: start.Add(time.Minute), expires: start.Add(time.Hour),
		client: Client{Browser: "Firefox", System: "Windows", Place: "203.0.113.x"}, device: strings.Repeat("d", maxDevice),
		values: map[string]string{"lang": "pt-BR", "back": "/course/go/view", "bytes": "\x00\xff", "empty": ""},
	}
}

// full is a record at every limit.
func full() record {
	r := sample()
	r.user = strings.Repeat("u", maxUser)
	long := strings.Repeat("c", maxClient)
	r.client = Client{long, long, long}
	r.values = map[string]string{}
	for i := range maxNames {
		r.values[fmt.Sprintf("%0128d", i)] = ""
	}
	return r
}

func TestRecordIsReadBack(t *testing.T) {
	t.Parallel()
	bare := sample()
	bare.user, bare.generation, bare.client, bare.device, bare.values = "", 0, Client{}, "", nil
	large := sample()
	large.values = map[string]string{"v": strings.Repeat("v", maxValues-1)}
	for name, want := range map[string]record{"all parts": sample(), "bare": bare, "full": full(), "large value": large} {
		b := want.encode()
		got, err := decodeRecord(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got.user != want.user || got.generation != want.generation || got.client != want.client || got.device != want.device || !got.created.Equal(want.created) || !got.seen.Equal(want.seen) ||
			!got.expires.Equal(want.expires) || !maps.Equal(got.values, want.values) {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
		if len(b) > maxRecord {
			t.Errorf("%s: %d bytes, the most is %d", name, len(b), maxRecord)
		}
	}
}

func TestRecordRefusesGarbage(t *testing.T) {
	t.Parallel()
	good := sample().encode()
	noTime := bytes.Clone(good)
	copy(noTime[1:9], make([]byte, 8))
	farTime := bytes.Clone(good)
	farTime[1] = 0xff
	many := record{created: time.UnixMilli(1), seen: time.UnixMilli(1), expires: time.UnixMilli(1)}.encode()
	twice := append(bytes.Clone(many[:len(many)-1]), 2, 0, 1, 'a', 0, 0, 0, 1, 'a', 0, 0)
	unnamed := append(bytes.Clone(many[:len(many)-1]), 1, 0, 0, 0, 0)
	cases := map[string][]byte{
		"nothing":       nil,
		"JSON":          []byte(`{"v":1}`),
		"other version": append([]byte{1}, good[1:]...),
		"surplus byte":  append(bytes.Clone(good), 0),
		"no time":       noTime,
		"far time":      farTime,
		"name twice":    twice,
		"empty name":    unnamed,
		"oversized":     append([]byte{recordVersion}, make([]byte, maxRecord)...),
	}
	for i := range good {
		cases[fmt.Sprintf("first %d bytes", i)] = good[:i]
	}
	for name, b := range cases {
		if r, err := decodeRecord(b); !errors.Is(err, errRecord) {
			t.Errorf("%s: read as %+v", name, r)
		}
	}
}

// FuzzDecodeRecord holds that no bytes break the decoder and that each record
// has one encoding.
func FuzzDecodeRecord(f *testing.F) {
	for _, r := range []record{sample(), full(), {created: time.UnixMilli(1), seen: time.UnixMilli(1), expires: time.UnixMilli(1)}} {
		b := r.encode()
		f.Add(b)
		f.Add(b[:len(b)/2])
		f.Add(append(b, 0))
	}
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := decodeRecord(b)
		if err == nil && !bytes.Equal(r.encode(), b) {
			t.Errorf("%x is read as %+v and written as %x", b, r, r.encode())
		}
	})
}
