package redis

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/kv"
)

// errMalformed says that a bucket holds something that this package did not
// write.
var errMalformed = errors.New("redis: malformed record")

// The form of a record: a head that the script writes (the letter L, the
// version, the kind; then big endian in eight bytes each the revision, the
// time of the write in microseconds and the expiry in milliseconds since 1970,
// zero for never), and for a value a checksum over key and value, four bytes,
// and the value.
const (
	recordMagic   = 'L'
	recordVersion = 1
	headSize      = 3 + 3*8
	sumSize       = 4
)

// The largest numbers in a record: revisions are exact as Lua's numbers, times
// end with the year 9999.
const (
	maxRevision = 1 << 53
	maxMillis   = 253402300799999
)

// castagnoli is the polynomial of the checksum, which processors compute.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is the newest change of one key.
type record struct {
	kind  kv.EventKind
	entry kv.Entry
}

// alive tells whether the record is a value that has not expired at a time of
// the server's clock.
func (r record) alive(now time.Time) bool {
	return r.kind == kv.EventPut && (r.entry.Expires.IsZero() || now.Before(r.entry.Expires))
}

// checksum guards a value and ties it to its key.
func checksum(key string, value []byte) uint32 {
	return crc32.Update(crc32.Checksum([]byte(key), castagnoli), castagnoli, value)
}

// encodeValue makes the part of a record that follows the head.
func encodeValue(key string, value []byte) string {
	var b strings.Builder
	b.Grow(sumSize + len(value))
	var sum [sumSize]byte
	binary.BigEndian.PutUint32(sum[:], checksum(key, value))
	b.Write(sum[:])
	b.Write(value)
	return b.String()
}

// decodeRecord reads what a bucket holds for a key, and says what is wrong
// with it.
func decodeRecord(key, data string) (record, error) {
	r, err := parseRecord(key, data)
	if err != nil {
		return record{}, fmt.Errorf("%w: the key %.80q: %w", errMalformed, key, err)
	}
	return r, nil
}

// parseRecord is decodeRecord without the key in its errors.
func parseRecord(key, data string) (record, error) {
	switch {
	case len(data) < headSize:
		return record{}, fmt.Errorf("%d bytes, a record has at least %d", len(data), headSize)
	case data[0] != recordMagic:
		return record{}, errors.New("it does not begin as a record does; another program wrote it")
	case data[1] != recordVersion:
		return record{}, fmt.Errorf("version %d of the format, this program knows %d", data[1], recordVersion)
	}
	head := []byte(data[3:headSize])
	rev, micros, millis := binary.BigEndian.Uint64(head), binary.BigEndian.Uint64(head[8:]), binary.BigEndian.Uint64(head[16:])
	if rev == 0 || rev > maxRevision || micros/1000 > maxMillis || millis > maxMillis {
		return record{}, fmt.Errorf("revision %d, time %d or expiry %d is out of range", rev, micros, millis)
	}
	r := record{kind: kv.EventKind(data[2])}
	r.entry = kv.Entry{Key: key, Revision: kv.Revision(rev), Modified: time.UnixMicro(int64(micros))}
	if millis > 0 {
		r.entry.Expires = time.UnixMilli(int64(millis))
	}
	switch r.kind {
	case kv.EventDelete, kv.EventExpire:
		if len(data) != headSize || millis != 0 {
			return record{}, errors.New("a tombstone with a value or an expiry")
		}
		return r, nil
	case kv.EventPut:
	default:
		return record{}, fmt.Errorf("kind %d is none", r.kind)
	}
	if len(data) < headSize+sumSize {
		return record{}, errors.New("the value is cut off")
	}
	r.entry.Value = []byte(data[headSize+sumSize:])
	if binary.BigEndian.Uint32([]byte(data[headSize:])) != checksum(key, r.entry.Value) {
		return record{}, errors.New("the checksum is wrong: the value was altered, or belongs to another key")
	}
	return r, nil
}
