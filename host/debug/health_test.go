package debug

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// works and fails are components.
var (
	works = Component{"good", func(context.Context) (string, error) { return "fine", nil }}
	fails = Component{"bad", func(context.Context) (string, error) { return "ignored", errors.New("broken") }}
)

// TestReadyz shows every component and fails with any of them.
func TestReadyz(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		components []Component
		status     int
		text       string
	}{
		{[]Component{works}, 200, "[+] good: fine\n"},
		{[]Component{fails, works}, 503, "[-] bad: broken\n[+] good: fine\n"},
		{[]Component{works, fails}, 503, "[+] good: fine\n[-] bad: broken\n"},
	} {
		w := ask(Readyz(tt.components), nil)
		if w.Code != tt.status || w.Body.String() != tt.text || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%d %q, want %d %q", w.Code, w.Body, tt.status, tt.text)
		}
	}
}

// TestReadyGivesUp bounds checks that hang.
func TestReadyGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		hangs := Component{"slow", func(ctx context.Context) (string, error) { <-ctx.Done(); return "", ctx.Err() }}
		text, ready := Ready(t.Context(), []Component{hangs, hangs})
		if took := time.Since(begin); ready || took != checkTimeout {
			t.Errorf("ready %t after %v: %s", ready, took, text)
		}
	})
}

// TestHealthz answers whatever the components do.
func TestHealthz(t *testing.T) {
	t.Parallel()
	if w := ask(Healthz(), nil); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	}
}
