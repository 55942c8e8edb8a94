// Command guest is the handler that the benchmarks run: a rendered page, a page
// that lies ready in memory, and a failure.
package main

import (
	"context"
	"io"

	"github.com/lectern-lms/lectern/bench/items"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// list is what the rendered page shows. It is part of the handler's image.
var list = items.All()

// title is the heading of the rendered page.
const title = "Every course"

func init() {
	sdk.Handle("GET /items", func(w *sdk.Response, _ *sdk.Request) error {
		return w.Page(200, items.Page(title, list))
	})
	sdk.Handle("GET /page", func(w *sdk.Response, _ *sdk.Request) error {
		w.Header("Content-Type", "text/html; charset=utf-8")
		_, err := w.Write(items.Ready)
		return err
	})
	sdk.Handle("GET /trap", func(*sdk.Response, *sdk.Request) error { panic("as asked") })
	sdk.WarmUp(func() { _ = items.Page(title, list).Render(context.Background(), io.Discard) })
}

func main() {}
