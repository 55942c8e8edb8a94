package server_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/templates/static"
)

// TestStatic serves every file under both of its names.
func TestStatic(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, f := range static.Files() {
		for name, cache := range map[string]string{
			f.Hashed:        "public, max-age=31536000, immutable",
			f.Name:          "public, no-cache",
			otherVersion(f): "public, no-cache",
		} {
			w := s.get("/static/" + name)
			if w.Code != 200 || w.Body.String() != string(f.Content) || w.Header().Get("Content-Type") != f.ContentType || w.Header().Get("Cache-Control") != cache {
				t.Errorf("%s: status %d, %d bytes, %v", name, w.Code, w.Body.Len(), w.Header())
			}
			if w.Header().Get("Content-Length") != strconv.Itoa(len(f.Content)) || w.Header().Get("Set-Cookie") != "" {
				t.Errorf("%s: %v", name, w.Header())
			}
		}
	}
	if w := s.get("/favicon.ico"); w.Code != 200 || w.Header().Get("Content-Type") != "image/x-icon" {
		t.Errorf("/favicon.ico: status %d, %v", w.Code, w.Header())
	}
}

// otherVersion is a file's name with the hash of another content.
func otherVersion(f static.File) string {
	dot := strings.LastIndexByte(f.Name, '.')
	return f.Name[:dot] + ".00aa11bb" + f.Name[dot:]
}

// TestStaticThatIsNotThere is the site's page 404.
func TestStaticThatIsNotThere(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	for _, path := range []string{
		"/static/", "/static/none.css", "/static/style.00aa11bb.js", "/static/style.00aa11b.css", "/static/style.00AA11BB.css",
		"/static/style.00aa11bb.00aa11bb.css", "/static/css%2Fstyle.css", "/static/..%2Fstatic.go", "/static/style.css/", "/static/.00aa11bb.css",
	} {
		if w := s.get(path); w.Code != 404 || !strings.Contains(w.Body.String(), "<nav") {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	if w := s.do(request(http.MethodPost, "/static/style.css", nil)); w.Code != 405 {
		t.Errorf("POST: status %d", w.Code)
	}
}

// TestStaticIsRevalidated answers 304 to who has the present file, however the
// tag came through proxies.
func TestStaticIsRevalidated(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	tag := s.get("/static/style.css").Header().Get("ETag")
	for header, want := range map[string]int{
		tag: 304, "W/" + tag: 304, `"other", ` + tag: 304, "*": 304, `"other"`: 200, "": 200, strings.Trim(tag, `"`): 200,
	} {
		r := request(http.MethodGet, "/static/style.css", nil)
		r.Header.Set("If-None-Match", header)
		w := s.do(r)
		if w.Code != want || (want == 304) != (w.Body.Len() == 0) || w.Header().Get("Cache-Control") != "public, no-cache" || w.Header().Get("ETag") != tag {
			t.Errorf("If-None-Match %s: status %d, %d bytes, %v", header, w.Code, w.Body.Len(), w.Header())
		}
	}
}
