package site_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/host/config"
	"github.com/lectern-lms/lectern/host/site"
)

// options are those of a production site on the memory store, which has no
// demo data to set up.
func options(t *testing.T, modules map[string][]byte) site.Options {
	t.Helper()
	cfg, err := config.Load([]string{
		"LMS_ENV=production", "LMS_DATA_DIR=" + t.TempDir(), "SECRET_KEY=0123456789abcdef0123456789abcdef",
		"ADMIN_USER=chief", "ADMIN_PSWD=three-unrelated-words",
	})
	if err != nil {
		t.Fatal(err)
	}
	stores := site.OpenMemory()
	t.Cleanup(func() {
		if err := stores.Close(); err != nil {
			t.Error(err)
		}
	})
	return site.Options{Config: cfg, Stores: stores, Modules: modules, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

// TestNoSiteWithoutHandlers opens a site whose handlers are missing or
// broken. The host has nothing to show in their place, so it refuses and names
// what is at fault.
func TestNoSiteWithoutHandlers(t *testing.T) {
	t.Parallel()
	empty := []byte("\x00asm\x01\x00\x00\x00")
	for name, c := range map[string]struct {
		modules map[string][]byte
		says    string
	}{
		"none":                  {nil, "carries no handlers"},
		"not WebAssembly":       {map[string][]byte{"catalog": []byte("<html>")}, "handler catalog"},
		"nothing at all":        {map[string][]byte{"catalog": nil}, "handler catalog"},
		"module without a name": {map[string][]byte{"catalog": empty}, "handler catalog"},
		"cut off":               {map[string][]byte{"catalog": guest(catalog, page)[:100]}, "handler catalog"},
		"without a manifest":    {map[string][]byte{"catalog": guest("", page)}, "handler catalog"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := site.Open(t.Context(), options(t, c.modules))
			if err == nil {
				t.Error("the site has opened", s.Close(context.Background()))
			} else if !strings.Contains(err.Error(), c.says) {
				t.Errorf("the error does not say %q: %v", c.says, err)
			}
		})
	}
}

// catalog is the manifest of a handler with two pages.
const catalog = `{"abi": 1, "name": "catalog", "version": "1.0.0", "routes": [{"pattern": "GET /home"}, {"pattern": "GET /course/{code}/view"}]}`

// page is what that handler answers.
const page = "a page of the guest"

// pages are the paths of its routes.
var pages = []string{"/home", "/course/now/view"}

// TestPagesEndWithTheirHandler takes a page, stops the handlers, and asks
// again: the host itself answers still, but has no page.
func TestPagesEndWithTheirHandler(t *testing.T) {
	t.Parallel()
	s, err := site.Open(t.Context(), options(t, map[string][]byte{"catalog": guest(catalog, page)}))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pages {
		if w := get(s, path); w.Code != http.StatusOK || w.Body.String() != page {
			t.Errorf("%s: status %d, %q", path, w.Code, w.Body)
		}
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(pages, "/no/such/page") {
		if w := get(s, path); w.Code < 400 || strings.Contains(w.Body.String(), page) {
			t.Errorf("%s without handlers: status %d, %q", path, w.Code, w.Body)
		}
	}
	if w := get(s, "/healthz"); w.Code != http.StatusOK || w.Body.String() != "ok\n" {
		t.Errorf("/healthz without handlers: status %d, %q", w.Code, w.Body)
	}
}

// TestFaultInsideAHandler asks a handler that traps: the reader gets a plain
// page with the number of the request, and the log has the stack with the name
// of the function.
func TestFaultInsideAHandler(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := options(t, map[string][]byte{"catalog": guest(catalog, "")})
	o.Logger = slog.New(slog.NewJSONHandler(&log, nil))
	s, err := site.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for range 3 { // a sandbox is not used again after a fault, and the next works as well
		w := get(s, "/home")
		id := w.Header().Get("X-Request-Id")
		if w.Code != http.StatusInternalServerError || id == "" || !strings.Contains(w.Body.String(), id) {
			t.Errorf("status %d without the request's number %q: %s", w.Code, id, w.Body)
		}
		if strings.Contains(w.Body.String(), "guest.answer") || strings.Contains(w.Body.String(), "unreachable") {
			t.Errorf("the page tells the reader what only the log should: %s", w.Body)
		}
		if c := w.Header().Get("Cache-Control"); c != "no-store" {
			t.Errorf("Cache-Control %q", c)
		}
		line := ""
		for l := range strings.Lines(log.String()) {
			if strings.Contains(l, `"level":"ERROR"`) && strings.Contains(l, id) {
				line = l
			}
		}
		if !strings.Contains(line, "guest.answer") {
			t.Errorf("the log has no stack with the function's name for the request %s:\n%s", id, log.String())
		}
	}
}

// get asks the site itself, without a network.
func get(s *site.Site, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}
