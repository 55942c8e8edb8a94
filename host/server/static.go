package server

import (
	"bytes"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/lectern-lms/lectern/templates/static"
)

// The life of static files in caches: a hashed name never changes its
// content, a plain one is asked for again.
const (
	cacheForGood    = "public, max-age=31536000, immutable"
	cacheRevalidate = "public, no-cache"
)

// otherHash is the part of a hashed name that tells versions apart.
var otherHash = regexp.MustCompile(`\.[0-9a-f]{8}(\.[a-z0-9]+)$`)

// serveStatic answers the stylesheet, the script and the icons. During an
// upgrade a page may name the hash of another version: it gets this version's
// file, which is better than none, but not for good.
func (s *Server) serveStatic(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, static.Prefix), "/")
	file, immutable, ok := static.Lookup(name)
	if !ok {
		file, _, ok = static.Lookup(otherHash.ReplaceAllString(name, "$1"))
	}
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
	h.Set("ETag", `"`+file.Hashed+`"`)
	http.ServeContent(w, r, file.Name, time.Time{}, bytes.NewReader(file.Content))
}
