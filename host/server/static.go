package server

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/lectern-lms/lectern/templates/static"
)

// The life of static files in caches: a hashed name never changes its
// content, a plain one is asked for again.
const (
	cacheForGood    = "public, max-age=31536000, immutable"
	cacheRevalidate = "public, no-cache"
)

// serveStatic answers the stylesheet, the script and the icons.
func (s *Server) serveStatic(w http.ResponseWriter, r *http.Request) {
	file, immutable, ok := static.Lookup(strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, static.Prefix), "/"))
	if !ok {
		s.fail(w, r, http.StatusNotFound)
		return
	}
	h := w.Header()
	h.Set("Content-Type", file.ContentType)
	h.Set("Cache-Control", cacheRevalidate)
	if immutable {
		h.Set("Cache-Control", cacheForGood)
	}
	tag := `"` + file.Hashed + `"`
	h.Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(file.Content)))
	w.WriteHeader(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(file.Content) // the reader may have gone
	}
}
