package engine

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// request is what the driver is asked.
func request() *Exchange {
	return &Exchange{Request: Request{
		Method: "POST", URI: "/a/b?c=d", Proto: "HTTP/2.0", Source: "[2001:db8::1]:4711",
		Header:  http.Header{"Accept": {"text/html", "*/*"}, "X-Empty": {""}, "Content-Type": {"text/plain"}},
		Trailer: http.Header{"X-Sum": {"abc"}}, Body: []byte("the body"),
	}, Response: Response{Header: http.Header{}}, Calls: echo}
}

// TestTexts checks the functions that give one string, which is written if it
// fits the limit and of which the length is told regardless.
func TestTexts(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	for name, want := range map[string]string{
		"get_method": "POST", "get_uri": "/a/b?c=d", "get_protocol_version": "HTTP/2.0", "get_source_addr": "[2001:db8::1]:4711",
		"get_config": "some settings",
	} {
		if got := d.text(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
		d.s.module.Memory().WriteString(bufferAt, strings.Repeat("-", 50))
		if n := d.must(name, bufferAt, len(want)-1); n != uint64(len(want)) || d.memory(bufferAt, 50) != strings.Repeat("-", 50) {
			t.Errorf("%s with too small a buffer: %d, and it holds %q", name, n, d.memory(bufferAt, 50))
		}
		if n := d.must(name, bufferAt, len(want)); n != uint64(len(want)) || d.memory(bufferAt, uint32(n)+1) != want+"-" {
			t.Errorf("%s with a buffer that just fits: %d, and it holds %q", name, n, d.memory(bufferAt, 50))
		}
		if n := d.must(name, 0xffffffff, 0); n != uint64(len(want)) {
			t.Errorf("%s without a buffer: %d", name, n)
		}
		d.fails("outside its memory", name, 0xfffffff0, 0xffff)
		d.fails("outside its memory", name, 4*wasmPage-2, 0xffff)
	}
}

// TestRequestLine checks that method and URI can be changed to what HTTP
// allows, for the handler behind.
func TestRequestLine(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	for _, tt := range []struct {
		name, value, want string // want: "" if it is a fault
	}{
		{"set_method", "DELETE", "DELETE"}, {"set_method", "M-SEARCH", "M-SEARCH"}, {"set_method", "", ""}, {"set_method", "GET /", ""}, {"set_method", "a\r\nb", ""},
		{"set_uri", "/x?y=%20z", "/x?y=%20z"}, {"set_uri", "", "/"}, {"set_uri", "http://other/", ""}, {"set_uri", "/a b", ""}, {"set_uri", "/\r\nX: y", ""}, {"set_uri", "/\x7f", ""}, {"set_uri", "*", ""},
		{"set_uri", "/%zz", ""}, {"set_uri", "/caf\u00e9", ""}, {"set_uri", "/%C3%A9?%zz", "/%C3%A9?%zz"}, {"set_uri", "//other/x", "//other/x"},
	} {
		if tt.want == "" {
			d.fails("", tt.name, tt.value)
			continue
		}
		d.must(tt.name, tt.value)
		got := d.x.Request.Method
		if tt.name == "set_uri" {
			got = d.x.Request.URI
		}
		if got != tt.want || d.text("g"+tt.name[1:]) != tt.want {
			t.Errorf("%s to %q: it is %q, want %q", tt.name, tt.value, got, tt.want)
		}
	}
	d.fails("outside its memory", "set_uri", 0xffffff00, 4096)
	d.fails("outside its memory", "set_method", 1000, 0xffffffff)
}

// kinds are the four header maps of an exchange.
var kinds = []struct {
	kind int
	of   func(x *Exchange) *http.Header
}{
	{kindRequest, func(x *Exchange) *http.Header { return &x.Request.Header }},
	{kindResponse, func(x *Exchange) *http.Header { return &x.Response.Header }},
	{kindReqTrailers, func(x *Exchange) *http.Header { return &x.Request.Trailer }},
	{kindRespTrailers, func(x *Exchange) *http.Header { return &x.Response.Trailer }},
}

// TestHeaders checks the header functions with each kind of headers.
func TestHeaders(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	values := func(kind int, name string) string {
		t.Helper()
		r := d.must("get_header_values", kind, name, bufferAt, bufferSize)
		return fmt.Sprintf("%d %q", r>>32, d.memory(bufferAt, uint32(r)))
	}
	names := func(kind int) string {
		t.Helper()
		r := d.must("get_header_names", kind, bufferAt, bufferSize)
		return fmt.Sprintf("%d %q", r>>32, d.memory(bufferAt, uint32(r)))
	}
	for _, k := range kinds {
		*k.of(d.x) = nil // as if there had never been any
		check := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("kind %d, %s: %s, want %s", k.kind, what, got, want)
			}
		}
		check("no names", names(k.kind), `0 ""`)
		check("no values", values(k.kind, "X-A"), `0 ""`)
		d.must("set_header_value", k.kind, "x-a", "one")
		d.must("add_header_value", k.kind, "X-a", "two words")
		d.must("add_header_value", k.kind, "x-B", "")
		check("names", names(k.kind), `2 "x-a\x00x-b\x00"`)
		check("values", values(k.kind, "X-A"), `2 "one\x00two words\x00"`)
		check("an empty value", values(k.kind, "x-b"), `1 "\x00"`)
		if h := *k.of(d.x); fmt.Sprint(h) != "map[X-A:[one two words] X-B:[]]" || len(h["X-B"]) != 1 {
			t.Errorf("kind %d: the headers are %q", k.kind, h)
		}
		d.must("set_header_value", k.kind, "X-A", "three")
		check("the value that was set", values(k.kind, "x-a"), `1 "three\x00"`)
		d.must("remove_header", k.kind, "x-a")
		d.must("remove_header", k.kind, "x-none")
		check("what was removed", values(k.kind, "X-A"), `0 ""`)

		d.s.module.Memory().WriteString(bufferAt, "untouched")
		if r := d.must("get_header_names", k.kind, bufferAt, 3); r != 1<<32|4 || d.memory(bufferAt, 9) != "untouched" {
			t.Errorf("kind %d: names that do not fit: %x and %q", k.kind, r, d.memory(bufferAt, 9))
		}
		if r := d.must("get_header_values", k.kind, "x-b", bufferAt, 0); r != 1<<32|1 || d.memory(bufferAt, 9) != "untouched" {
			t.Errorf("kind %d: values that do not fit: %x", k.kind, r)
		}
		d.fails("outside", "get_header_names", k.kind, 4*wasmPage-2, 0xffff)
		d.fails("outside", "get_header_values", k.kind, 0xffff0000, 0xffff, bufferAt, bufferSize)
		d.fails("outside", "add_header_value", k.kind, "x-c", 0xffff0000, 0xffff)
		for _, bad := range [][2]string{{"x-c", "a\r\nSet-Cookie: b"}, {"x-c", "a\nb"}, {"x-c", "a\x00b"}, {"", "a"}, {"x c", "a"}, {"x:c", "a"}, {"x\r\nc", "a"}} {
			d.fails("malformed", "set_header_value", k.kind, bad[0], bad[1])
			d.fails("malformed", "add_header_value", k.kind, bad[0], bad[1])
		}
		d.fails("the limit is", "add_header_value", k.kind, "x-long", strings.Repeat("x", 40_000)+strings.Repeat("y", 30_000))
		*k.of(d.x) = http.Header{}
	}
	for _, name := range []string{"get_header_names", "remove_header", "get_header_values", "set_header_value"} {
		arguments := []any{4, "x-a", "y"}
		d.fails("no header kind 4", name, arguments[:map[string]int{"get_header_names": 2, "remove_header": 2, "get_header_values": 3, "set_header_value": 3}[name]]...)
	}
}

// TestReservedHeaders checks that a guest cannot set what belongs to the host,
// in no way of writing it, but may change the request for who comes behind.
func TestReservedHeaders(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	for name := range reserved {
		for _, kind := range []int{kindResponse, kindRespTrailers} {
			for _, written := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
				d.fails("set by the host alone", "set_header_value", kind, written, "x")
				d.fails("set by the host alone", "add_header_value", kind, written, "x")
			}
		}
		d.must("set_header_value", kindRequest, name, "x")
	}
	if len(d.x.Response.Header)+len(d.x.Response.Trailer) != 0 {
		t.Errorf("the response has %v and %v", d.x.Response.Header, d.x.Response.Trailer)
	}
}

// TestLengthIsTheHosts takes what guests say of a body's length and ignores it.
func TestLengthIsTheHosts(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	for _, name := range []string{"set_header_value", "add_header_value"} {
		for _, kind := range []int{kindResponse, kindRespTrailers} {
			d.must(name, kind, "content-length", "7")
		}
	}
	if len(d.x.Response.Header)+len(d.x.Response.Trailer) != 0 {
		t.Errorf("the response has %v and %v", d.x.Response.Header, d.x.Response.Trailer)
	}
	d.must("set_header_value", kindRequest, "content-length", "7")
	if got := d.x.Request.Header.Get("Content-Length"); got != "7" {
		t.Errorf("the request has the length %q", got)
	}
}

// TestRequestIsOverAfterNext lets a guest read the request in handle_response
// and stops one that changes it; the response may be changed.
func TestRequestIsOverAfterNext(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	d.s.call.passedOn = true
	const fault = "changed the request after"
	d.fails(fault, "set_method", "GET")
	d.fails(fault, "set_uri", "/")
	d.fails(fault, "write_body", kindRequest, "x")
	for _, kind := range []int{kindRequest, kindReqTrailers} {
		d.fails(fault, "set_header_value", kind, "x-a", "b")
		d.fails(fault, "add_header_value", kind, "x-a", "b")
		d.fails(fault, "remove_header", kind, "x-a")
	}
	if got := d.text("get_method") + " " + d.text("get_uri"); got != "POST /a/b?c=d" {
		t.Errorf("the request is %s", got)
	}
	for _, kind := range []int{kindResponse, kindRespTrailers} {
		d.must("set_header_value", kind, "x-a", "b")
		d.must("remove_header", kind, "x-a")
	}
	d.must("write_body", kindResponse, "x")
	d.must("set_status_code", 404)
}

// TestBodies checks reading in parts, and that the first write replaces a body.
func TestBodies(t *testing.T) {
	t.Parallel()
	for _, kind := range []int{kindRequest, kindResponse} {
		d := newDriver(t, request())
		body := &d.x.Request.Body
		if kind == kindResponse {
			body = &d.x.Response.Body
			*body = []byte("the body")
		}
		for i, want := range []string{"0 the", "0  bo", "1 dy", "1 ", "1 "} {
			r := d.must("read_body", kind, bufferAt, 3)
			if got := fmt.Sprintf("%d %s", r>>32, d.memory(bufferAt, uint32(r))); got != want {
				t.Errorf("kind %d, part %d: %q, want %q", kind, i, got, want)
			}
		}
		d.fails("limit of zero", "read_body", kind, bufferAt, 0)
		d.must("write_body", kind, "new")
		d.must("write_body", kind, "")
		d.must("write_body", kind, " body")
		if string(*body) != "new body" {
			t.Errorf("kind %d: the body is %q", kind, *body)
		}
		d.fails("outside", "write_body", kind, 0xffff0000, 0xffff)
		d.fails("outside", "write_body", kind, 0, 0xffffffff)
		*body = bytes.Repeat([]byte("x"), DefaultLimits.Response-3)
		d.must("write_body", kind, "abc")
		d.fails("a body of more than 8388608 bytes", "write_body", kind, "d")
		d.begin(context.Background())
		d.must("write_body", kind, "")
		if len(*body) != 0 {
			t.Errorf("kind %d: writing nothing first leaves %d bytes", kind, len(*body))
		}
		d.fails("no body kind 2", "read_body", 2, bufferAt, 1)
		d.fails("no body kind 9", "write_body", 9, "x")
	}
	d := newDriver(t, request())
	d.fails("outside", "read_body", kindRequest, 4*wasmPage-2, 100)
	if r := d.must("read_body", kindRequest, bufferAt, 0x7fffffff); r != eof|8 {
		t.Errorf("a limit beyond the memory with a body that fits: %x", r)
	}
	d.x.Request.Body = nil
	if r := d.must("read_body", kindRequest, bufferAt, 1); r != eof {
		t.Errorf("no body: %x", r)
	}
}

// TestStatusFeaturesAndLog checks the rest of the functions.
func TestStatusFeaturesAndLog(t *testing.T) {
	t.Parallel()
	d := newDriver(t, request())
	if got := d.must("get_status_code"); got != 200 {
		t.Errorf("the status begins as %d", got)
	}
	for _, status := range []int{200, 204, 404, 599} {
		d.must("set_status_code", status)
		if got := d.must("get_status_code"); int(got) != status || d.x.Response.Status != status {
			t.Errorf("status %d was set, it is %d", status, got)
		}
	}
	for _, status := range []int{0, 100, 199, 600, 0xffffffff} {
		d.fails("not between 200 and 599", "set_status_code", status)
	}
	for _, tt := range [][2]int{{1, 1}, {4, 5}, {0, 5}, {0xfffffff8, 5}, {2, 7}} {
		if got := d.must("enable_features", tt[0]); int(got) != tt[1] {
			t.Errorf("enable_features(%d): %d, want %d", tt[0], got, tt[1])
		}
	}
	for level, want := range map[int]uint64{-1: 1, 0: 1, 1: 1, 2: 1, 3: 0, 4: 0} {
		if got := d.must("log_enabled", level); got != want {
			t.Errorf("log_enabled(%d): %d, want %d", level, got, want)
		}
	}
	d.s.call.logs = func(level int32) bool { return level >= 1 }
	for level, want := range map[int]uint64{-1: 0, 0: 0, 1: 1, 2: 1, 3: 0} {
		if got := d.must("log_enabled", level); got != want {
			t.Errorf("log_enabled(%d) where the log takes warnings: %d, want %d", level, got, want)
		}
	}
	d.must("log", 2, "an error")
	d.must("log", -1, "")
	d.must("log", 3, "to nobody")
	d.fails("outside", "log", 0, 0xffff0000, 0xffff)
	if got := fmt.Sprintf("%q", d.logged); got != `["2 an error" "/ "]` {
		t.Errorf("logged %s", got)
	}
	for range 10 {
		d.must("log", 1, strings.Repeat("x", 5000))
	}
	if n := len(d.logged); n != 2+3+1 || !strings.Contains(d.logged[n-1], "the rest of this request is dropped") {
		t.Errorf("%d messages; the last: %.80s", n, d.logged[n-1])
	}
}
