package sdk

import (
	"bytes"
	"context"
	"io"
)

// Component is a part of a page that writes itself; templ's components are
// such parts.
type Component interface {
	Render(ctx context.Context, w io.Writer) error
}

// Response collects the answer. The host sends it only if the request's
// effects could be committed.
type Response struct {
	status int
	header [][2]string
	body   bytes.Buffer
}

// Header adds a header to the answer. The host refuses those that are its
// own business, such as Set-Cookie.
func (w *Response) Header(name, value string) { w.header = append(w.header, [2]string{name, value}) }

// Page answers with a component as HTML.
func (w *Response) Page(status int, c Component) error {
	w.status = status
	w.Header("Content-Type", "text/html; charset=utf-8")
	return c.Render(context.Background(), &w.body)
}

// Text answers with plain text.
func (w *Response) Text(status int, text string) {
	w.status = status
	w.Header("Content-Type", "text/plain; charset=utf-8")
	w.body.WriteString(text)
}

// Redirect answers with 303, so that the browser continues with a GET.
func (w *Response) Redirect(path string) {
	w.status = 303
	w.Header("Location", path)
}

// Write adds to the body.
func (w *Response) Write(p []byte) (int, error) { return w.body.Write(p) }

// Status sets the status; 200 if never set.
func (w *Response) Status(code int) { w.status = code }

// send gives the answer to the host; what is let through has headers alone.
func (w *Response) send(passed bool) {
	for _, h := range w.header {
		current.setHeader(h[0], h[1])
	}
	if passed {
		return
	}
	if w.status != 0 {
		current.setStatus(w.status)
	}
	if w.body.Len() > 0 {
		current.writeBody(w.body.Bytes())
	}
}
