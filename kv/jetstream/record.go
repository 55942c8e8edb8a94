package jetstream

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/lectern-lms/lectern/kv"
)

// errMalformed says that the stream holds something that this package did not
// write.
var errMalformed = errors.New("jetstream: malformed record")

// The envelope before each value: one byte version, one byte length of the
// padding, eight bytes expiry (milliseconds since 1970, big endian, zero for
// never), the padding, the value.
const (
	envelopeVersion = 1
	envelopeHeader  = 10
	// minPayload is the least payload in bytes. Small values are padded to it,
	// so that a deletion marker (about 150 bytes of headers) is never larger
	// than what it replaces: it then fits even into a full stream.
	minPayload = 168
)

// Headers that the server defines and this package sets or reads.
const (
	headerTTL         = "Nats-TTL"
	headerOperation   = "KV-Operation"
	headerMarker      = "Nats-Marker-Reason"
	headerSubject     = "Nats-Subject"
	headerSequence    = "Nats-Sequence"
	headerTime        = "Nats-Time-Stamp"
	headerPending     = "Nats-Num-Pending"
	headerLast        = "Nats-Last-Sequence"
	headerUpTo        = "Nats-UpTo-Sequence"
	headerExpect      = "Nats-Expected-Last-Subject-Sequence"
	headerExpectFor   = "Nats-Expected-Last-Subject-Sequence-Subject"
	headerExpectLast  = "Nats-Expected-Last-Sequence"
	headerMsgID       = "Nats-Msg-Id"
	headerBatch       = "Nats-Batch-Id"
	headerBatchSeq    = "Nats-Batch-Sequence"
	headerBatchCommit = "Nats-Batch-Commit"
	headerStatus      = "Status"
)

// Values of those headers.
const (
	operationPurge = "PURGE"
	operationDel   = "DEL"
	markerMaxAge   = "MaxAge"
)

// record is one message of a bucket's stream.
type record struct {
	kind  kv.EventKind
	entry kv.Entry
}

// alive tells whether the record is a value that has not expired at now.
func (r record) alive(now time.Time) bool {
	return r.kind == kv.EventPut && (r.entry.Expires.IsZero() || now.Before(r.entry.Expires))
}

// encodeValue puts a value into its envelope.
func encodeValue(value []byte, expires time.Time) []byte {
	pad := max(0, minPayload-envelopeHeader-len(value))
	out := make([]byte, envelopeHeader+pad, envelopeHeader+pad+len(value))
	out[0], out[1] = envelopeVersion, byte(pad)
	if !expires.IsZero() {
		binary.BigEndian.PutUint64(out[2:], uint64(expires.UnixMilli()))
	}
	return append(out, value...)
}

// decodeValue takes a value out of its envelope. The value aliases data.
func decodeValue(data []byte) ([]byte, time.Time, error) {
	switch {
	case len(data) < envelopeHeader:
		return nil, time.Time{}, fmt.Errorf("%w: %d bytes, an envelope has at least %d", errMalformed, len(data), envelopeHeader)
	case data[0] != envelopeVersion:
		return nil, time.Time{}, fmt.Errorf("%w: version %d of the envelope, this program knows %d", errMalformed, data[0], envelopeVersion)
	case len(data) < envelopeHeader+int(data[1]):
		return nil, time.Time{}, fmt.Errorf("%w: the padding is cut off", errMalformed)
	}
	var expires time.Time
	if ms := binary.BigEndian.Uint64(data[2:]); ms > maxExpiry {
		return nil, time.Time{}, fmt.Errorf("%w: the expiry %d is no date", errMalformed, ms)
	} else if ms > 0 {
		expires = time.UnixMilli(int64(ms))
	}
	return data[envelopeHeader+int(data[1]):], expires, nil
}

// maxExpiry is the latest expiry in milliseconds, at the end of the year 9999.
const maxExpiry = 253402300799999

// decodeRecord makes a record of a message's parts.
func (s *Store) decodeRecord(subject string, seq uint64, at time.Time, h nats.Header, data []byte) (record, error) {
	enc, ok := strings.CutPrefix(subject, s.keys)
	if !ok {
		return record{}, fmt.Errorf("%w: the subject %.80q is not of bucket %s", errMalformed, subject, s.bucket.Name)
	}
	key, err := decodeKey(enc)
	if err != nil {
		return record{}, err
	}
	r := record{entry: kv.Entry{Key: key, Revision: kv.Revision(seq), Modified: at}}
	op := h.Get(headerOperation)
	switch reason := h.Get(headerMarker); {
	case reason == markerMaxAge:
		r.kind = kv.EventExpire
	case reason != "", op == operationPurge, op == operationDel:
		r.kind = kv.EventDelete
	default:
		r.kind = kv.EventPut
		if r.entry.Value, r.entry.Expires, err = decodeValue(data); err != nil {
			return record{}, fmt.Errorf("the key %.80q at revision %d: %w", key, seq, err)
		}
	}
	return r, nil
}

// decodeMsg makes a record of a message with the headers of a direct get or of
// the republished feed.
func (s *Store) decodeMsg(m *nats.Msg) (record, error) {
	seq, err := headerUint(m.Header, headerSequence)
	if err != nil {
		return record{}, err
	}
	at, err := time.Parse(time.RFC3339Nano, m.Header.Get(headerTime))
	if err != nil {
		return record{}, fmt.Errorf("%w: the time of message %d: %w", errMalformed, seq, err)
	}
	return s.decodeRecord(m.Header.Get(headerSubject), seq, at, m.Header, m.Data)
}

// headerUint reads a number from a header.
func headerUint(h nats.Header, name string) (uint64, error) {
	n, err := strconv.ParseUint(h.Get(name), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: the header %s is %.40q, want a number", errMalformed, name, h.Get(name))
	}
	return n, nil
}
