package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// fence is the line before and after the fields at the head of a file.
const fence = "---"

// document is a content file taken apart: "key: value" lines between two
// fences, then Markdown. Reading a field that is missing or wrong sets err,
// unless it is set already, and gives a zero value.
type document struct {
	file   string
	fields []field
	body   string
	// bodyLine is the number of the body's first line.
	bodyLine int
	err      error
}

// field is one "key: value" line.
type field struct {
	key, value string
	line       int
}

// parseDocument takes a file apart. Only the named keys are allowed, each once
// unless its name ends in "*"; values are not empty. Line ends may be "\r\n".
func parseDocument(file string, data []byte, keys ...string) (*document, error) {
	d := &document{file: file}
	data = bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n"))
	lines := strings.Split(string(data), "\n")
	for i, line := range lines {
		if !utf8.ValidString(line) {
			return nil, d.errorf(i+1, "not UTF-8; save the file in that encoding")
		}
		if at := strings.IndexFunc(line, func(r rune) bool { return unicode.IsControl(r) && r != '\t' }); at >= 0 {
			return nil, d.errorf(i+1, "control character %q; remove it", line[at:at+1])
		}
	}
	if lines[0] != fence {
		return nil, d.errorf(1, `no fields; begin the file with a line "---", "key: value" lines and another "---"`)
	}
	end := slices.Index(lines[1:], fence) + 1
	if end == 0 {
		return nil, d.errorf(1, `the fields do not end; write a line "---" after them`)
	}
	for i, line := range lines[1:end] {
		if err := d.addField(line, i+2, keys); err != nil {
			return nil, err
		}
	}
	d.body = strings.Join(lines[end+1:], "\n")
	d.bodyLine = end + 2
	if strings.TrimSpace(d.body) == "" {
		return nil, d.errorf(d.bodyLine, "no text; write some after the fields")
	}
	return d, nil
}

// addField reads one line of the fields; blank ones are allowed.
func (d *document) addField(line string, number int, keys []string) error {
	if strings.TrimSpace(line) == "" {
		return nil
	}
	key, value, ok := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch {
	case !ok:
		return d.errorf(number, `%q is not a field; write "key: value"`, line)
	case slices.Contains(keys, key+"*"):
	case !slices.Contains(keys, key):
		return d.errorf(number, "unknown field %q; there are %s", key, strings.ReplaceAll(strings.Join(keys, ", "), "*", ""))
	case d.has(key):
		return d.errorf(number, "second field %q; keep one", key)
	}
	if value == "" {
		return d.errorf(number, "field %q is empty; fill it in or remove the line", key)
	}
	d.fields = append(d.fields, field{key, value, number})
	return nil
}

// errorf makes an error that names the file and a line of it.
func (d *document) errorf(line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", d.file, line, fmt.Sprintf(format, args...))
}

// fail sets the document's error, if it has none.
func (d *document) fail(line int, format string, args ...any) {
	if d.err == nil {
		d.err = d.errorf(line, format, args...)
	}
}

// all returns the fields with a key.
func (d *document) all(key string) []field {
	var found []field
	for _, f := range d.fields {
		if f.key == key {
			found = append(found, f)
		}
	}
	return found
}

// has tells whether there is a field with a key.
func (d *document) has(key string) bool {
	return len(d.all(key)) > 0
}

// one returns the field with a key, which must be there.
func (d *document) one(key string) (field, bool) {
	found := d.all(key)
	if len(found) == 0 {
		d.fail(1, `no field %q; add a line "%s: ..."`, key, key)
		return field{}, false
	}
	return found[0], true
}

// text reads a field as it stands.
func (d *document) text(key string) string {
	f, _ := d.one(key)
	return f.value
}

// oneOf reads a field that must be one of some values.
func (d *document) oneOf(key string, values []string) string {
	f, ok := d.one(key)
	if ok && !slices.Contains(values, f.value) {
		d.fail(f.line, "%s %q is unknown; use one of %s", key, f.value, strings.Join(values, ", "))
	}
	return f.value
}

// list reads a field of values between commas.
func (d *document) list(key string) []string {
	f, ok := d.one(key)
	if !ok {
		return nil
	}
	values := strings.Split(f.value, ",")
	for i := range values {
		if values[i] = strings.TrimSpace(values[i]); values[i] == "" {
			d.fail(f.line, "%s has an empty value; write one comma between two values", key)
		}
	}
	return values
}

// number reads a whole number from low to high.
func (d *document) number(key string, low, high int) int {
	f, ok := d.one(key)
	if !ok {
		return low
	}
	n, err := strconv.Atoi(f.value)
	if err != nil || n < low || n > high {
		d.fail(f.line, "%s %q is wrong; write a whole number from %d to %d", key, f.value, low, high)
		return low
	}
	return n
}

// flag reads "yes" or "no"; a missing field means what is given.
func (d *document) flag(key string, missing bool) bool {
	if !d.has(key) {
		return missing
	}
	return d.oneOf(key, []string{"yes", "no"}) == "yes"
}

// date reads a day; its time is midnight in UTC.
func (d *document) date(key string) time.Time {
	f, ok := d.one(key)
	if !ok {
		return time.Time{}
	}
	day, err := time.Parse(time.DateOnly, f.value)
	if err != nil {
		d.fail(f.line, "%s %q is not a day; write it as 2026-01-31", key, f.value)
	}
	return day
}
