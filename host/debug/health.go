package debug

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// checkTimeout bounds each check of readiness.
const checkTimeout = 2 * time.Second

// Component is a part that must work for the process to serve.
type Component struct {
	Name string
	// Check gives a word on the state, or why the part does not work.
	Check func(ctx context.Context) (string, error)
}

// Healthz answers 200 as long as the process can answer at all.
func Healthz() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		plain(w, http.StatusOK, "ok\n")
	})
}

// Readyz answers with a line for each component: 200 if all of them work and
// 503 if one does not.
func Readyz(components []Component) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ready := Ready(r.Context(), components)
		status := http.StatusOK
		if !ready {
			status = http.StatusServiceUnavailable
		}
		plain(w, status, text)
	})
}

// Ready asks every component and gives the lines that Readyz shows.
func Ready(ctx context.Context, components []Component) (string, bool) {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	var text strings.Builder
	ready := true
	for _, c := range components {
		detail, err := c.Check(ctx)
		mark := "+"
		if err != nil {
			ready, mark, detail = false, "-", err.Error()
		}
		fmt.Fprintf(&text, "[%s] %s: %s\n", mark, c.Name, detail)
	}
	return text.String(), ready
}

// plain answers in plain text that no cache may keep.
func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text)) // the asker may have gone
}
