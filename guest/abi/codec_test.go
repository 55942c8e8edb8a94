package abi

import (
	"bytes"
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"testing"
)

// TestMessagesAreReadBack writes one of everything and reads it again.
func TestMessagesAreReadBack(t *testing.T) {
	t.Parallel()
	fields := []Field{{"code", "go"}, {"", ""}, {"name", "ñ\x00/"}}
	records := []Record{{"course/go", []byte("{}")}, {"course/empty", []byte{}}}
	devices := []Device{{ID: "d", Browser: "B", System: "S", Place: "P", Created: 1, Seen: 1 << 40, Remembered: true}, {Current: true}}
	texts := []string{"", "a", strings.Repeat("long", 100)}
	message := Writer(nil).Uint(0).Uint(127).Uint(128).Uint(math.MaxUint64).Bool(true).Bool(false).
		String("text").Bytes([]byte{0, 255}).Strings(texts).Fields(fields).Records(records).
		Strings(nil).Fields(nil).Records(nil).Devices(devices).Devices(nil)
	r := NewReader(message)
	for _, want := range []uint64{0, 127, 128, math.MaxUint64} {
		if got := r.Uint(); got != want {
			t.Errorf("Uint() = %d, want %d", got, want)
		}
	}
	if !r.Bool() || r.Bool() {
		t.Error("Bool() did not give true, then false")
	}
	if got := r.String(); got != "text" {
		t.Errorf("String() = %q", got)
	}
	if got := r.Bytes(); !bytes.Equal(got, []byte{0, 255}) {
		t.Errorf("Bytes() = %v", got)
	}
	if got := r.Strings(); !reflect.DeepEqual(got, texts) {
		t.Errorf("Strings() = %q", got)
	}
	if got := r.Fields(); !reflect.DeepEqual(got, fields) {
		t.Errorf("Fields() = %q", got)
	}
	if got := r.Records(); !reflect.DeepEqual(got, records) {
		t.Errorf("Records() = %q", got)
	}
	if len(r.Strings()) != 0 || len(r.Fields()) != 0 || len(r.Records()) != 0 {
		t.Error("an empty list was read as a longer one")
	}
	if got := r.Devices(); !reflect.DeepEqual(got, devices) {
		t.Errorf("Devices() = %+v", got)
	}
	if len(r.Devices()) != 0 {
		t.Error("an empty list of devices was read as a longer one")
	}
	if err := r.Done(); err != nil {
		t.Error(err)
	}
}

// TestMessagesHaveFixedBytes pins the encoding: handlers that are compiled
// today must be understood by the hosts of tomorrow.
func TestMessagesHaveFixedBytes(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		message Writer
		want    string
	}{
		{"uint", Writer(nil).Uint(300), "\xac\x02"},
		{"bool", Writer(nil).Bool(true).Bool(false), "\x01\x00"},
		{"string", Writer(nil).String("go"), "\x02go"},
		{"bytes", Writer(nil).Bytes([]byte{7}), "\x01\x07"},
		{"strings", Writer(nil).Strings([]string{"a", ""}), "\x02\x01a\x00"},
		{"fields", Writer(nil).Fields([]Field{{"n", "v"}}), "\x01\x01n\x01v"},
		{"devices", Writer(nil).Devices([]Device{{"i", "b", "s", "p", 1, 2, true, false}}), "\x01\x01i\x01b\x01s\x01p\x01\x02\x01\x00"},
		{"records", Writer(nil).Records([]Record{{"k", []byte("v")}}), "\x01\x01k\x01v"},
	}
	for _, tt := range tests {
		if string(tt.message) != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.message, tt.want)
		}
	}
}

// TestMalformedMessagesAreRefused reads bytes that Writer never makes.
func TestMalformedMessagesAreRefused(t *testing.T) {
	t.Parallel()
	var (
		number  = func(r *Reader) any { return r.Uint() }
		boolean = func(r *Reader) any { return r.Bool() }
		text    = func(r *Reader) any { return r.String() }
		data    = func(r *Reader) any { return len(r.Bytes()) }
		texts   = func(r *Reader) any { return len(r.Strings()) }
		fields  = func(r *Reader) any { return len(r.Fields()) }
		records = func(r *Reader) any { return len(r.Records()) }
	)
	tests := []struct {
		name    string
		message string
		read    func(*Reader) any
		zero    any
	}{
		{"nothing to read", "", number, uint64(0)},
		{"cut varint", "\x80", number, uint64(0)},
		{"longer than need be", "\x80\x00", number, uint64(0)},
		{"one in two bytes", "\x81\x00", number, uint64(0)},
		{"over 64 bits", strings.Repeat("\xff", 9) + "\x02", number, uint64(0)},
		{"varint without end", strings.Repeat("\xff", 30), number, uint64(0)},
		{"bool of 2", "\x02", boolean, false},
		{"cut string", "\x05go", text, ""},
		{"length near 2^64", strings.Repeat("\xff", 9) + "\x01", text, ""},
		{"length near 2^63", strings.Repeat("\xff", 8) + "\x7f", data, 0},
		{"more strings than bytes", "\x03\x00\x00", texts, 0},
		{"cut in the list", "\x02\x00\x05", texts, 0},
		{"a billion strings", "\x80\x94\xeb\xdc\x03", texts, 0},
		{"field without value", "\x01\x01n", fields, 0},
		{"more fields than fit", "\x02\x00\x00\x00", fields, 0},
		{"record without value", "\x01\x01k", records, 0},
		{"device without all", "\x01\x01i\x01b\x01s\x01p\x01\x02", func(r *Reader) any { return len(r.Devices()) }, 0},
		{"more records than fit", "\x02\x00\x00\x00", records, 0},
	}
	for _, tt := range tests {
		r := NewReader([]byte(tt.message))
		if got := tt.read(r); got != tt.zero {
			t.Errorf("%s: read %v from a malformed message", tt.name, got)
		}
		if r.Done() == nil {
			t.Errorf("%s: Done reports no fault", tt.name)
		}
	}
}

// TestReaderStaysBad makes sure that a fault cannot be read over.
func TestReaderStaysBad(t *testing.T) {
	t.Parallel()
	r := NewReader(append([]byte{2}, Writer(nil).Uint(7).String("a").Bool(true)...))
	if r.Bool() {
		t.Error("the number 2 was read as true")
	}
	if r.Uint() != 0 || r.String() != "" || r.Bool() || r.Bytes() != nil || r.Strings() != nil || r.Fields() != nil || r.Records() != nil {
		t.Error("something was read after a fault")
	}
	if r.Done() == nil {
		t.Error("Done forgot the fault")
	}
	left := NewReader(Writer(nil).Uint(1).Uint(2))
	left.Uint()
	if left.Done() == nil {
		t.Error("Done overlooks bytes that are left")
	}
}

// TestBytesCannotGrowIntoTheMessage appends to a value that was read: what
// follows it in the message must stay as it is.
func TestBytesCannotGrowIntoTheMessage(t *testing.T) {
	t.Parallel()
	r := NewReader(Writer(nil).String("a").String("b"))
	_ = append(r.Bytes(), 0xff, 0xff)
	if got := r.String(); got != "b" {
		t.Errorf("appending to a value changed the next one to %q", got)
	}
}

// TestResults packs and unpacks what call returns.
func TestResults(t *testing.T) {
	t.Parallel()
	for _, status := range []Status{StatusOK, StatusInvalid, StatusUnknown, math.MaxUint32} {
		for _, length := range []int{0, 1, 64 << 10, math.MaxUint32} {
			if s, n := SplitResult(Result(status, length)); s != status || n != length {
				t.Errorf("status %d and length %d became %d and %d", status, length, s, n)
			}
		}
	}
}

// FuzzReader runs any sequence of reads over any bytes: the first input picks
// the methods, one byte each. Nothing may panic, nothing larger than the
// message may be asked for, and what was accepted must be written back as the
// very bytes that were read.
func FuzzReader(f *testing.F) {
	all := Writer(nil).Uint(300).Bool(true).String("a").Bytes([]byte("b")).Strings([]string{"c"}).
		Fields([]Field{{"d", "e"}}).Records([]Record{{"f", []byte("g")}})
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6}, []byte(all))
	f.Add([]byte{4}, []byte("\xff\xff\xff\xff\x0f"))
	f.Add([]byte{5, 6}, binary.AppendUvarint(nil, math.MaxUint64))
	f.Add([]byte{0}, []byte{0x80, 0x00})
	f.Add([]byte{3, 3, 3}, []byte("\x01a\x00\x02b"))
	f.Fuzz(func(t *testing.T, methods, message []byte) {
		r := NewReader(message)
		var again Writer
		for _, m := range methods {
			again = readOne(t, r, m, again, len(message))
		}
		if r.Done() == nil && !bytes.Equal(again, message) {
			t.Errorf("%q was accepted, but is written as %q", message, again)
		}
	})
}

// readOne calls one method of r, writes what it gave to w, and checks that the
// lists are not larger than the message can hold.
func readOne(t *testing.T, r *Reader, method byte, w Writer, size int) Writer {
	t.Helper()
	bound := func(capacity, least int) {
		if capacity*least > size {
			t.Errorf("room for %d items was made for a message of %d bytes", capacity, size)
		}
	}
	switch method % 7 {
	case 0:
		return w.Uint(r.Uint())
	case 1:
		return w.Bool(r.Bool())
	case 2:
		return w.String(r.String())
	case 3:
		b := r.Bytes()
		bound(cap(b), 1)
		return w.Bytes(b)
	case 4:
		list := r.Strings()
		bound(cap(list), 1)
		return w.Strings(list)
	case 5:
		list := r.Fields()
		bound(cap(list), 2)
		return w.Fields(list)
	}
	list := r.Records()
	bound(cap(list), 2)
	return w.Records(list)
}
