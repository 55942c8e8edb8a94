// Command trouble is the handler of the server's tests.
package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lectern-lms/lectern/guest/sdk"
)

func init() {
	sdk.Handle("POST /trouble/panic", explode)
	sdk.Handle("GET /trouble/spin", spin)
	sdk.Handle("GET /trouble/cookie", func(w *sdk.Response, _ *sdk.Request) error {
		w.Header("Set-Cookie", "session=stolen")
		return nil
	})
	sdk.Handle("POST /trouble/show", show)
	sdk.Handle("GET /trouble/show/{name}", show)
	sdk.Handle("GET /trouble/policy", func(w *sdk.Response, _ *sdk.Request) error {
		w.Header("Content-Security-Policy", "default-src *")
		w.Header("X-Frame-Options", "ALLOWALL")
		w.Header("X-Request-Id", "mine")
		w.Header("Cache-Control", "public, max-age=9999")
		w.Header("X-Own", "kept")
		w.Text(200, "loose")
		return nil
	})
	sdk.Handle("GET /trouble/public", func(w *sdk.Response, _ *sdk.Request) error { w.Text(200, "for all"); return nil })
	sdk.Handle("POST /trouble/count", count)
	sdk.Handle("GET /trouble/status/{code}", func(_ *sdk.Response, r *sdk.Request) error {
		code, _ := strconv.Atoi(r.PathValue("code"))
		return sdk.StatusError(code)
	})
	sdk.Handle("GET /trouble/read", func(w *sdk.Response, r *sdk.Request) error {
		value, _, err := r.Get("trouble/n")
		w.Text(200, string(value))
		return err
	})
	sdk.Handle("GET /trouble/staff", func(w *sdk.Response, _ *sdk.Request) error { w.Text(200, "staff"); return nil })
}

func main() {}

// explode writes something and panics in a function of its own.
func explode(w *sdk.Response, r *sdk.Request) error {
	w.Text(200, "half an answer")
	if err := r.Put("trouble/written", []byte("yes")); err != nil {
		return err
	}
	if err := r.SetSessionValue("written", "yes"); err != nil {
		return err
	}
	innermostCause(r.Form("secret"))
	return nil
}

// innermostCause is what the log must name.
//
//go:noinline
func innermostCause(text string) {
	panic("the handler's own words" + text)
}

// spin never ends.
func spin(*sdk.Response, *sdk.Request) error {
	for n := uint(0); ; n++ {
		if n == 1<<63 {
			return nil
		}
	}
}

// show answers with all that a handler can see of its request.
func show(w *sdk.Response, r *sdk.Request) error {
	fmt.Fprintf(w, "method=%s\nuri=%s\nname=%s\nsecret=%q %t\nopen=%q\nbody=%s\n",
		r.Method(), r.URI(), r.PathValue("name"), r.Form("secret"), r.HasForm("secret"), r.Form("open"), r.Body())
	for _, name := range []string{"Cookie", "Authorization", "Host", "X-Plain"} {
		fmt.Fprintf(w, "%s=%s\n", strings.ToLower(name), r.Header(name))
	}
	return nil
}

// count adds one to a record.
func count(w *sdk.Response, r *sdk.Request) error {
	value, _, err := r.Get("trouble/n")
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(value))
	w.Text(200, strconv.Itoa(n+1))
	return r.Put("trouble/n", strconv.AppendInt(nil, int64(n)+1, 10))
}
