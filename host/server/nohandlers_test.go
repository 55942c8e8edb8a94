package server_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/server"
)

// markers are what every page of a handler has and the host's own error page
// has not: the menu, a form, a link into the site beyond the start page.
var markers = []string{"<header", "<nav", "<form", "<footer", `href="/course`, `href="/user`}

// TestHostAloneHasNoPage asks a server without handlers for every route that
// the handlers' manifests name: each gets an error, and nothing of a page.
func TestHostAloneHasNoPage(t *testing.T) {
	t.Parallel()
	ok := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	s, err := server.New(server.Options{
		Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Timeout: time.Second, MaxBody: 1 << 10,
		Native: map[string]http.Handler{"GET /healthz": ok},
	})
	if err != nil {
		t.Fatal(err)
	}
	routes := manifestRoutes(t)
	if len(routes) < 15 {
		t.Fatalf("the manifests name %d routes, expected at least 15", len(routes))
	}
	for _, pattern := range routes {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{$}", "", "{code}", "now", "{id}", "the-promise").Replace(path)
		if strings.Contains(path, "{") {
			t.Errorf("this test does not know the wildcards of %s", pattern)
		}
		w := ask(s, method, path)
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: status %d, expected 404", pattern, w.Code)
		}
		for _, m := range markers {
			if strings.Contains(w.Body.String(), m) {
				t.Errorf("%s: the host's answer has %s of a page", pattern, m)
			}
		}
	}
	if w := ask(s, http.MethodGet, "/healthz"); w.Code != http.StatusNoContent {
		t.Errorf("/healthz: status %d", w.Code)
	}
}

// manifestRoutes are the patterns of all handlers that visitors can reach.
func manifestRoutes(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../guest/handlers/*/manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var routes []string
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m, err := abi.ParseManifest(data)
		if err != nil {
			t.Fatal(err)
		}
		if m.Internal {
			continue
		}
		for _, r := range m.Routes {
			routes = append(routes, r.Pattern)
		}
	}
	return routes
}

// ask sends a request to the server itself, without a network.
func ask(s *server.Server, method, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
	return w
}
