package abi

import (
	"encoding/binary"
	"errors"
)

// ErrMessage is what a Reader reports for bytes that are not the message
// asked for: cut off, of another shape, or longer than it should be.
var ErrMessage = errors.New("abi: malformed message")

// Writer builds a message. The zero value is an empty message; methods return
// the extended one, as append does.
type Writer []byte

// Uint adds an unsigned number as a varint.
func (w Writer) Uint(n uint64) Writer { return binary.AppendUvarint(w, n) }

// Bool adds a truth value as the number 0 or 1.
func (w Writer) Bool(b bool) Writer {
	if b {
		return append(w, 1)
	}
	return append(w, 0)
}

// String adds a length-prefixed string.
func (w Writer) String(s string) Writer { return append(w.Uint(uint64(len(s))), s...) }

// Bytes adds a length-prefixed byte string.
func (w Writer) Bytes(b []byte) Writer { return append(w.Uint(uint64(len(b))), b...) }

// Strings adds a count and that many strings.
func (w Writer) Strings(list []string) Writer {
	w = w.Uint(uint64(len(list)))
	for _, s := range list {
		w = w.String(s)
	}
	return w
}

// Fields adds a count and that many names with their values.
func (w Writer) Fields(list []Field) Writer {
	w = w.Uint(uint64(len(list)))
	for _, f := range list {
		w = w.String(f.Name).String(f.Value)
	}
	return w
}

// Records adds a count and that many records.
func (w Writer) Records(list []Record) Writer {
	w = w.Uint(uint64(len(list)))
	for _, r := range list {
		w = w.String(r.Key).Bytes(r.Value)
	}
	return w
}

// Devices adds a count and that many devices: id, browser, system, place,
// created, seen, remembered, current.
func (w Writer) Devices(list []Device) Writer {
	w = w.Uint(uint64(len(list)))
	for _, d := range list {
		w = w.String(d.ID).String(d.Browser).String(d.System).String(d.Place).
			Uint(uint64(d.Created)).Uint(uint64(d.Seen)).Bool(d.Remembered).Bool(d.Current)
	}
	return w
}

// Reader takes a message apart. After the first fault every method returns a
// zero value; ask Done once at the end.
type Reader struct {
	rest []byte
	bad  bool
}

// NewReader reads from message, which it does not copy.
func NewReader(message []byte) *Reader { return &Reader{rest: message} }

// Done reports ErrMessage if any read failed or bytes are left over.
func (r *Reader) Done() error {
	if r.bad || len(r.rest) != 0 {
		return ErrMessage
	}
	return nil
}

// Uint reads a varint of the shortest form.
func (r *Reader) Uint() uint64 {
	n, size := binary.Uvarint(r.rest)
	if r.bad || size <= 0 || (size > 1 && r.rest[size-1] == 0) {
		r.bad = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// Bool reads a truth value; anything but 0 and 1 is a fault.
func (r *Reader) Bool() bool {
	n := r.Uint()
	if n > 1 {
		r.bad = true
	}
	return n == 1 && !r.bad
}

// Bytes reads a byte string. It shares the message's memory.
func (r *Reader) Bytes() []byte {
	n := r.Uint()
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return nil
	}
	b := r.rest[:n:n]
	r.rest = r.rest[n:]
	return b
}

// String reads a string.
func (r *Reader) String() string { return string(r.Bytes()) }

// Strings reads a count and that many strings.
func (r *Reader) Strings() []string {
	list := make([]string, 0, r.count(1))
	for range cap(list) {
		list = append(list, r.String())
	}
	if r.bad {
		return nil
	}
	return list
}

// Fields reads a count and that many names with their values.
func (r *Reader) Fields() []Field {
	list := make([]Field, 0, r.count(2))
	for range cap(list) {
		list = append(list, Field{Name: r.String(), Value: r.String()})
	}
	if r.bad {
		return nil
	}
	return list
}

// Records reads a count and that many records, whose values share the
// message's memory.
func (r *Reader) Records() []Record {
	list := make([]Record, 0, r.count(2))
	for range cap(list) {
		list = append(list, Record{Key: r.String(), Value: r.Bytes()})
	}
	if r.bad {
		return nil
	}
	return list
}

// Devices reads a count and that many devices.
func (r *Reader) Devices() []Device {
	list := make([]Device, 0, r.count(8))
	for range cap(list) {
		list = append(list, Device{
			ID: r.String(), Browser: r.String(), System: r.String(), Place: r.String(),
			Created: int64(r.Uint()), Seen: int64(r.Uint()), Remembered: r.Bool(), Current: r.Bool(),
		})
	}
	if r.bad {
		return nil
	}
	return list
}

// count reads the length of a list whose items take at least size bytes, so
// that a forged count cannot ask for more memory than the message is long.
func (r *Reader) count(size int) int {
	n := r.Uint()
	if r.bad || n > uint64(len(r.rest)/size) {
		r.bad = true
		return 0
	}
	return int(n)
}
