package sdk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/sdk"
)

func init() { sdk.HandleFront(sdk.Front{Request: before, Answer: after}) }

// before lets most requests through, some of them changed.
func before(w *sdk.Response, r *sdk.Request) error {
	switch r.Path() {
	case "/closed":
		return sdk.ErrForbidden
	case "/own":
		w.Text(200, "answered in front")
		return nil
	case "/old":
		r.SetMethod("PUT")
		r.SetURI("/new?x=%20y")
	}
	w.Header("X-Before", r.Method())
	w.Text(418, "for nobody")
	r.SetHeader("X-Added", "in front")
	r.Pass()
	if r.Method() == "GET" {
		return nil
	}
	return r.Put("front/seen", []byte(r.Path()))
}

// after changes what was answered.
func after(a *sdk.Answer, r *sdk.Request) error {
	a.SetHeader("X-Was", fmt.Sprintf("%d %s %s", a.Status(), a.Header("Content-Type"), a.Body()))
	a.RemoveHeader("X-Gone")
	switch r.Path() {
	case "/mend":
		a.RemoveHeader(sdk.ErrorHeader)
		a.SetStatus(200)
		a.SetBody([]byte("lost"))
		a.SetBody([]byte("mended"))
		if err := r.Put("front/mended", nil); !errors.Is(err, sdk.ErrReadOnly) {
			return fmt.Errorf("a write after the failure: %w", err)
		}
	case "/spoil":
		return errors.New("it cannot be shown")
	case "/shout":
		a.SetBody(bytes.ToUpper(a.Body()))
	}
	return nil
}

// newFront is a host with a handler in front of another, which echoes.
func newFront() *sdk.Fake {
	f := sdk.NewFake()
	f.Manifest = &abi.Manifest{ABI: abi.Version, Name: "front", Next: "echo", Write: []string{"front/"}, Secrets: []string{"secret"}}
	f.Next = func(r *http.Request) sdk.FakeAnswer {
		body, err := io.ReadAll(r.Body)
		if err != nil || strings.HasPrefix(r.URL.Path, "/mend") || strings.HasPrefix(r.URL.Path, "/none") {
			return sdk.FakeAnswer{Status: 404}
		}
		return sdk.FakeAnswer{Status: 201, Header: http.Header{"content-type": {"text/echo"}, "X-Gone": {"x"}},
			Body: r.Method + " " + r.URL.RequestURI() + " " + r.Header.Get("X-Added") + " " + string(body)}
	}
	return f
}

// TestFront lets requests through and changes them and what was answered.
func TestFront(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		method, path string
		status       int
		errorPage    bool
		was, body    string
		written      int
	}{
		{"GET", "/there?a=b", 201, false, "201 text/echo GET /there?a=b in front ", "GET /there?a=b in front ", 0},
		{"POST", "/shout", 201, false, "201 text/echo POST /shout in front f=g&secret=", "POST /SHOUT IN FRONT F=G&SECRET=", 1},
		{"POST", "/old", 201, false, "201 text/echo PUT /new?x=%20y in front f=g&secret=", "PUT /new?x=%20y in front f=g&secret=", 1},
		{"GET", "/own", 200, false, "", "answered in front", 0},
		{"POST", "/closed", 403, true, "", "", 0},
		{"POST", "/none", 404, true, "404 text/plain; charset=utf-8 ", "", 0},
		{"POST", "/mend", 200, false, "404 text/plain; charset=utf-8 ", "mended", 0},
		{"POST", "/spoil", 500, true, "201 text/echo POST /spoil in front f=g&secret=", "POST /spoil in front f=g&secret=", 0},
	} {
		f := newFront()
		form := url.Values{"f": {"g"}, "secret": {"hunter2"}}
		if tt.method == "GET" {
			form = nil
		}
		a := f.Serve(tt.method, tt.path, form)
		if a.Status != tt.status || a.ErrorPage != tt.errorPage || a.Header.Get("X-Was") != tt.was || a.Body != tt.body || len(a.Written) != tt.written || len(f.Records) != tt.written {
			t.Errorf("%s %s: %d %t, was %q, %q, %d written", tt.method, tt.path, a.Status, a.ErrorPage, a.Header.Get("X-Was"), a.Body, len(a.Written))
		}
		if a.Header.Get("X-Gone") != "" || strings.Contains(a.Body, "hunter2") {
			t.Errorf("%s %s: %v: %s", tt.method, tt.path, a.Header, a.Body)
		}
	}
	f := newFront()
	f.Next = nil
	if a := f.Serve("GET", "/there", nil); a.Status != 404 || !a.ErrorPage {
		t.Errorf("nobody behind: %d %t", a.Status, a.ErrorPage)
	}
}

// TestFrontIsRegisteredOnce finds mistakes when the handler is loaded.
func TestFrontIsRegisteredOnce(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]sdk.Front{"twice": {Request: before}, "nothing": {Answer: after}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s was accepted", name)
				}
			}()
			sdk.HandleFront(f)
		}()
	}
}

// TestURIMustBeEncoded stops a handler that sets another one.
func TestURIMustBeEncoded(t *testing.T) {
	t.Parallel()
	for _, uri := range []string{"", "page", "/%zz", "http://other/"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q was accepted", uri)
				}
			}()
			sdk.Spy("GET", func(abi.Op, []byte) {}, func(r *sdk.Request) { r.SetURI(uri) })
		}()
	}
}
