package session

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"time"
	"unicode/utf8"
)

// recordVersion is the first byte of every record.
const recordVersion = 2

// Limits of what a session holds. They bound a record to 16 KiB.
const (
	maxNames  = 64
	maxName   = 128
	maxValues = 8 << 10
	maxUser   = 256
	maxRecord = 16 << 10
	// maxClient is the most bytes of each part of a Client.
	maxClient = 64
	// maxDevice is the length of a remembered device's public name.
	maxDevice = 52
)

// maxMilli is the end of the year 9999; a time beyond it is a damaged record.
const maxMilli = 253402300799999

// errRecord says that stored bytes are no record of this version.
var errRecord = errors.New("the record is damaged or of another version")

// Client says by what a session is used, in the words of the application, so
// that its owner can tell one from another. Each part is cut to 64 bytes. Keep
// no more in it than a person needs to see.
type Client struct {
	Browser, System string
	// Place is where from, such as a shortened address.
	Place string
}

// cut shortens the parts to what a record takes.
func (c Client) cut() Client {
	for _, part := range []*string{&c.Browser, &c.System, &c.Place} {
		for len(*part) > maxClient {
			_, size := utf8.DecodeLastRuneInString(*part)
			*part = (*part)[:len(*part)-size]
		}
	}
	return c
}

// record is what the store holds of a session. Times are exact to the
// millisecond.
type record struct {
	user string
	// generation is that of the user's account at the sign-in.
	generation uint64
	created    time.Time
	seen       time.Time
	// expires is the logical end as it was when the record was written.
	expires time.Time
	client  Client
	// device is the public name of the remembered device that the session
	// belongs to, "" if none.
	device string
	values map[string]string
}

// encode writes the record: version, three times, generation, user, client,
// device, number of values, and the values in ascending order of their names,
// each text after its length in two bytes. One record has one encoding.
func (r record) encode() []byte {
	b := make([]byte, 0, 320+len(r.user)+valuesSize(r.values)+4*len(r.values))
	b = append(b, recordVersion)
	b = appendTimes(b, r.created, r.seen, r.expires)
	b = appendNumber(b, r.generation)
	b = appendText(b, r.user, r.client.Browser, r.client.System, r.client.Place, r.device)
	b = append(b, byte(len(r.values)))
	for _, name := range slices.Sorted(maps.Keys(r.values)) {
		b = appendText(b, name, r.values[name])
	}
	return b
}

// appendTimes adds times in milliseconds.
func appendTimes(b []byte, times ...time.Time) []byte {
	for _, t := range times {
		b = appendNumber(b, uint64(t.UnixMilli()))
	}
	return b
}

// appendNumber adds a number in eight bytes.
func appendNumber(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(b, n) }

// appendText adds texts, each after its length.
func appendText(b []byte, texts ...string) []byte {
	for _, text := range texts {
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
		b = append(b, text...)
	}
	return b
}

// decodeRecord reads what encode wrote and refuses everything else: another
// version, missing or surplus bytes, names out of order, values over a limit.
func decodeRecord(b []byte) (record, error) {
	if len(b) == 0 || len(b) > maxRecord || b[0] != recordVersion {
		return record{}, errRecord
	}
	d := decoder{rest: b[1:]}
	r := record{created: d.time(), seen: d.time(), expires: d.time(), generation: d.number(), user: d.text(maxUser)}
	r.client, r.device = d.client(), d.text(maxDevice)
	n := d.byte()
	if n > 0 {
		r.values = make(map[string]string, min(n, maxNames))
	}
	last := ""
	for i := 0; i < n && !d.bad; i++ {
		name := d.text(maxName)
		if name <= last {
			return record{}, errRecord
		}
		r.values[name], last = d.text(maxValues), name
	}
	if d.bad || len(d.rest) > 0 || checkValues(r.values) != nil {
		return record{}, errRecord
	}
	return r, nil
}

// decoder takes parts off the front of a record. After the first fault it is
// bad and returns zero values.
type decoder struct {
	rest []byte
	bad  bool
}

// take returns the next n bytes, or n zero bytes (n is at most maxValues) if
// there are not so many.
func (d *decoder) take(n int) []byte {
	if d.bad || len(d.rest) < n {
		d.bad = true
		return make([]byte, n)
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// byte returns the next byte as a number.
func (d *decoder) byte() int { return int(d.take(1)[0]) }

// number returns the next eight bytes as a number.
func (d *decoder) number() uint64 { return binary.BigEndian.Uint64(d.take(8)) }

// text returns the next text of at most limit bytes.
func (d *decoder) text(limit int) string {
	n := int(binary.BigEndian.Uint16(d.take(2)))
	if n > limit {
		d.bad = true
		return ""
	}
	return string(d.take(n))
}

// client returns the next three texts as a Client.
func (d *decoder) client() Client {
	return Client{Browser: d.text(maxClient), System: d.text(maxClient), Place: d.text(maxClient)}
}

// time returns the next time, which must be after 1970 and before 10000.
func (d *decoder) time() time.Time {
	ms := d.number()
	if ms == 0 || ms > maxMilli {
		d.bad = true
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}

// valuesSize is what counts against maxValues: the bytes of names and values.
func valuesSize(values map[string]string) int {
	n := 0
	for name, value := range values {
		n += len(name) + len(value)
	}
	return n
}
