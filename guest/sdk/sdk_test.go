package sdk_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// TestRequest reads everything that a request says of itself.
func TestRequest(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	f.AcceptLanguage = "es"
	f.Header = http.Header{"X-Thing": {"thing", "second"}, "Cookie": {"session=secret"}}
	for method, shown := range map[string]string{"GET": "GET", "HEAD": "GET"} {
		a := f.Serve(method, "/echo/a%2Fb%20c?q=1%262&q=3", nil)
		want := shown + "|a/b c|/echo/a%2Fb%20c|/echo/a%2Fb%20c?q=1%262&q=3|1&2|thing||es|Lectern"
		if a.Status != 200 || a.Body != want {
			t.Errorf("%s: %d %s, want %s", method, a.Status, a.Body, want)
		}
		if a.Header.Get("X-Now") != "2026-01-02T15:04:05Z" || a.Header.Get("X-Random") != "5" {
			t.Errorf("time or random bytes are wrong: %v", a.Header)
		}
	}
}

// TestForms sends bodies that are forms and bodies that are none.
func TestForms(t *testing.T) {
	t.Parallel()
	const kind = "application/x-www-form-urlencoded"
	tests := []struct{ name, kind, body, want string }{
		{"field", kind, "a=1&b=", `"1" true true 6`},
		{"first of two", kind, "a=1&a=2", `"1" true false 7`},
		{"escapes", kind, "a=%C3%A9+%26", `"é &" true false 12`},
		{"with charset", kind + "; charset=utf-8", "a=1", `"1" true false 3`},
		{"in capitals", "Application/X-WWW-Form-Urlencoded", "a=1", `"1" true false 3`},
		{"without type", "", "a=1", `"" false false 3`},
		{"json", "application/json", `{"a":1}`, `"" false false 7`},
		{"bad escape", kind, "a=%zz&b=1", `"" false false 9`},
		{"semicolon", kind, "a=1;b=2", `"" false false 7`},
		{"empty", kind, "", `"" false false 0`},
	}
	for _, tt := range tests {
		if a := sdk.NewFake().ServeBody("POST", "/form", tt.kind, tt.body); a.Body != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, a.Body, tt.want)
		}
	}
}

// TestLocalPath tries to be sent away from the site.
func TestLocalPath(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/", "/home", "/course/a?x=//b", "/a//b", "/a:b", "/é", "/%2F%2Fhere", "/a?next=https://x.example/"} {
		if got := sdk.LocalPath(path, "fallback"); got != path {
			t.Errorf("%q became %q", path, got)
		}
	}
	away := []string{
		"", "home", "//evil.example", "///evil.example", `/\evil.example`, `\/evil.example`, `/a\..\b`, "http://evil.example/",
		"https:evil.example", "javascript:alert(1)", " /home", "/\t/evil.example", "/\n/evil.example", "/\r\nSet-Cookie: a=b",
		"/\x00", "/a\x7fb", "/\x0b/evil.example", "/\x1b", "/%zz",
	}
	for _, path := range away {
		if got := sdk.LocalPath(path, "fallback"); got != "fallback" {
			t.Errorf("%q was let through as %q", path, got)
		}
	}
}

// FuzzLocalPath makes sure that a browser which resolves what LocalPath lets
// through stays on the site.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/home", "//x", `/\x`, "http://x", "/\t/x", "/%2F/x", "/.//x", "/..//x"} {
		f.Add(seed)
	}
	base, err := url.Parse("https://site.example/user/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		if sdk.LocalPath(path, "") == "" {
			return
		}
		// Browsers drop tabs and line breaks and read a backslash as a slash.
		seen := strings.NewReplacer("\t", "", "\r", "", "\n", "", `\`, "/").Replace(path)
		u, err := base.Parse(seen)
		if err != nil || u.Scheme != "https" || u.Host != "site.example" || strings.HasPrefix(seen, "//") {
			t.Errorf("%q leads to %v (%v)", path, u, err)
		}
	})
}

// TestRedirectsStayHere follows LocalPath through a response.
func TestRedirectsStayHere(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]string{"/a?b=c": "/a?b=c", "//evil.example/": "/home", "": "/home"} {
		a := sdk.NewFake().Serve("GET", "/next?to="+url.QueryEscape(to), nil)
		if a.Status != 303 || a.Header.Get("Location") != want {
			t.Errorf("%q: %d to %q, want %q", to, a.Status, a.Header.Get("Location"), want)
		}
	}
}

// TestScanReadsOnOverPages lists more records than the host gives at once.
func TestScanReadsOnOverPages(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	for i := range 1201 {
		f.Records[fmt.Sprintf("n/%04d", i)] = []byte("v")
	}
	f.Records["m/1"], f.Records["o/1"] = []byte("x"), []byte("y")
	tests := []struct {
		query       string
		count       int
		first, last string
	}{
		{"prefix=n/", 1201, "n/0000", "n/1200"},
		{"prefix=n/&after=n/0700", 500, "n/0701", "n/1200"},
		{"prefix=n/&limit=3", 3, "n/0000", "n/0002"},
		{"prefix=n/&limit=500", 500, "n/0000", "n/0499"},
		{"prefix=n/&limit=501", 501, "n/0000", "n/0500"},
		{"prefix=n/&limit=5000", 1201, "n/0000", "n/1200"},
		{"prefix=m/", 1, "m/1", "m/1"},
	}
	for _, tt := range tests {
		lines := strings.Fields(f.Serve("GET", "/scan?"+tt.query, nil).Body)
		if len(lines) != tt.count || !strings.HasPrefix(lines[0], tt.first+"=") || !strings.HasPrefix(lines[len(lines)-1], tt.last+"=") {
			t.Errorf("%s: %d records", tt.query, len(lines))
		}
	}
	if a := f.Serve("GET", "/scan?prefix=z/", nil); a.Body != "" || a.Status != 200 {
		t.Errorf("an empty prefix: %d %q", a.Status, a.Body)
	}
	if string(f.Records["n/0000"]) != "v" {
		t.Error("a handler changed a record through the bytes that it was given")
	}
}

// TestErrorsBecomeStatuses maps what handlers return.
func TestErrorsBecomeStatuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		method, uri string
		down        bool
		want        int
		logged      bool
	}{
		{"GET", "/error/forbidden", false, 403, false},
		{"GET", "/error/bad", false, 400, false},
		{"GET", "/error/status", false, 418, false},
		{"POST", "/write/missing", false, 404, false},
		{"POST", "/write/error", false, 500, true},
		{"GET", "/write", false, 500, true},
		{"GET", "/broken", false, 500, true},
		{"GET", "/error/down", true, 503, true},
		{"GET", "/nowhere", false, 404, false},
		{"GET", "/form", false, 405, false},
	}
	for _, tt := range tests {
		f := sdk.NewFake()
		f.Down = tt.down
		a := f.Serve(tt.method, tt.uri, nil)
		if a.Status != tt.want || !a.ErrorPage || a.Body != "" || (len(a.Log) > 0) != tt.logged {
			t.Errorf("%s %s: %d, error page %t, body %q, log %q; want %d", tt.method, tt.uri, a.Status, a.ErrorPage, a.Body, a.Log, tt.want)
		}
	}
	if a := sdk.NewFake().Serve("GET", "/form", nil); a.Header.Get("Allow") != "POST" {
		t.Errorf("405 without Allow: %v", a.Header)
	}
}

// TestEffectsFollowTheResult writes and then succeeds or fails.
func TestEffectsFollowTheResult(t *testing.T) {
	t.Parallel()
	for how, kept := range map[string]bool{"well": true, "error": false, "missing": false} {
		f := sdk.NewFake()
		f.Records["a/gone"] = []byte("old")
		a := f.Serve("POST", "/write/"+how, nil)
		_, put := f.Records["a/put"]
		_, gone := f.Records["a/gone"]
		if put != kept || gone == kept || (f.Session["lang"] == "es") != kept || (len(f.Notices) == 1) != kept || (len(a.Written) == 3) != kept {
			t.Errorf("%s: records %v, session %v, notices %v, written %v", how, f.Records, f.Session, f.Notices, a.Written)
		}
		if kept && (a.Status != 202 || a.Written["a/gone"] != nil || string(a.Written["a/put"]) != "new") {
			t.Errorf("%s: %d %v", how, a.Status, a.Written)
		}
	}
}

// TestErrorsAbandon tells the host at once, as the last call, so that even a
// host that overlooked the error could commit nothing.
func TestErrorsAbandon(t *testing.T) {
	t.Parallel()
	for how, abandons := range map[string]bool{"well": false, "error": true, "missing": true} {
		var calls []abi.Op
		left := sdk.ServeSpy(func(op abi.Op, _ []byte) { calls = append(calls, op) }, "POST /write/{how}", "/write/"+how)
		if last := calls[len(calls)-1] == abi.OpAbandon; last != abandons || slices.Contains(calls, abi.OpAbandon) != abandons || (left == 0) != abandons {
			t.Errorf("%s: calls %d, %d changes left", how, calls, left)
		}
	}
}

// TestErrorsOfCalls tells the kinds of refusal apart.
func TestErrorsOfCalls(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		method string
		run    func(*sdk.Request) error
		want   error
	}{
		{"denied", "POST", func(r *sdk.Request) error { return r.Put("account/id/1", nil) }, sdk.ErrDenied},
		{"read-only", "GET", func(r *sdk.Request) error { return r.Notify("x") }, sdk.ErrReadOnly},
		{"too large", "POST", func(r *sdk.Request) error { return r.Put("a/b", make([]byte, 1<<20)) }, sdk.ErrTooLarge},
		{"malformed", "POST", func(r *sdk.Request) error { return r.Put("a//b", nil) }, sdk.ErrCall},
		{"negative time", "POST", func(r *sdk.Request) error { return r.PutTTL("a/b", nil, -time.Second) }, sdk.ErrCall},
		{"scan", "GET", func(r *sdk.Request) error { _, err := r.Scan("account/", "", 0); return err }, sdk.ErrDenied},
		{"get", "GET", func(r *sdk.Request) error { _, _, err := r.Get("system/x"); return err }, sdk.ErrDenied},
		{"session", "POST", func(r *sdk.Request) error { return r.SetSessionValue("a", strings.Repeat("x", 9000)) }, sdk.ErrTooLarge},
	}
	for _, tt := range tests {
		var got error
		sdk.Spy(tt.method, func(abi.Op, []byte) {}, func(r *sdk.Request) { got = tt.run(r) })
		if !errors.Is(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestShortLivesAreRoundedUp asks for parts of a second: rounded down, the
// shortest would last for ever.
func TestShortLivesAreRoundedUp(t *testing.T) {
	t.Parallel()
	var seconds []uint64
	sdk.Spy("POST", func(op abi.Op, message []byte) {
		if op != abi.OpPut {
			return
		}
		in := abi.NewReader(message)
		_, _ = in.String(), in.Bytes()
		seconds = append(seconds, in.Uint())
	}, func(r *sdk.Request) {
		for _, ttl := range []time.Duration{0, 1, time.Second, time.Second + 1, 90 * time.Minute} {
			if err := r.PutTTL("a/b", nil, ttl); err != nil {
				t.Error(err)
			}
		}
	})
	if want := []uint64{0, 1, 1, 2, 5400}; !slices.Equal(seconds, want) {
		t.Errorf("the times to live were sent as %d s, want %d", seconds, want)
	}
}

// TestTwoFunctionsForOneRoute panic when the handler starts.
func TestTwoFunctionsForOneRoute(t *testing.T) {
	t.Parallel()
	defer func() {
		if p := recover(); p == nil || !strings.Contains(fmt.Sprint(p), "GET /page") {
			t.Errorf("the panic is %v, it should name the route", p)
		}
	}()
	sdk.Handle("GET /page", func(*sdk.Response, *sdk.Request) error { return nil })
}

// TestPage renders a component with its status and type.
func TestPage(t *testing.T) {
	t.Parallel()
	a := sdk.NewFake().Serve("GET", "/page", nil)
	if a.Status != 201 || a.Body != "<p>hello</p>" || a.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Errorf("%d %q %v", a.Status, a.Body, a.Header)
	}
}
