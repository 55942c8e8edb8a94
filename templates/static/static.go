// Package static holds the files that browsers fetch beside the pages: the
// stylesheet, the script and the icons. The host serves them; templates knows
// only their addresses (templates/assets.go, written by this package's test),
// so that no handler carries them.
package static

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"slices"
	"strings"
)

// FS holds the files as they are kept in the repository. What is served is in
// Files: the stylesheet there is all of css/ joined in the order of the names.
//
//go:embed css/*.css js/app.js favicon.svg favicon.ico
var FS embed.FS

// Prefix is the path under which the host serves the files.
const Prefix = "/static/"

// File is one file as it is served.
type File struct {
	// Name is the plain name, for example "style.css".
	Name string
	// Hashed is the name with the first eight digits of the content's SHA-256,
	// for example "style.0a1b2c3d.css". What it names never changes, so an
	// answer under Prefix+Hashed may be cached for good.
	Hashed      string
	ContentType string
	// Content is shared; do not change it.
	Content []byte
}

// files holds what is served; it is filled at start and never changes.
var files = load()

// Files lists what is served, in a fixed order.
func Files() []File { return slices.Clone(files) }

// Lookup finds a file by its plain or hashed name, without Prefix. It reports
// immutable for a hashed name: only then may the answer be cached for good. The
// hashed name of another version is not found, since its content is not here.
func Lookup(name string) (file File, immutable, ok bool) {
	for _, f := range files {
		switch name {
		case f.Hashed:
			return f, true, true
		case f.Name:
			return f, false, true
		}
	}
	return File{}, false, false
}

// load reads the embedded files. They are part of the program, so one that is
// missing is a fault of the build and stops the start.
func load() []File {
	return []File{
		newFile("style.css", "text/css; charset=utf-8", stylesheet()),
		newFile("app.js", "text/javascript; charset=utf-8", read("js/app.js")),
		newFile("favicon.svg", "image/svg+xml", read("favicon.svg")),
		newFile("favicon.ico", "image/x-icon", read("favicon.ico")),
	}
}

// newFile puts the hash of the content before the last dot of the name.
func newFile(name, contentType string, content []byte) File {
	sum := sha256.Sum256(content)
	dot := strings.LastIndexByte(name, '.')
	hashed := name[:dot] + "." + hex.EncodeToString(sum[:4]) + name[dot:]
	return File{Name: name, Hashed: hashed, ContentType: contentType, Content: content}
}

// stylesheet joins the parts in css/; the numbers in their names give the
// order, and later rules win.
func stylesheet() []byte {
	names, err := fs.Glob(FS, "css/*.css")
	if err != nil || len(names) == 0 {
		panic("static: no stylesheet is embedded; rebuild with templates/static/css")
	}
	var b bytes.Buffer
	for _, name := range names {
		b.Write(read(name))
	}
	return b.Bytes()
}

// read is an embedded file's content.
func read(name string) []byte {
	content, err := FS.ReadFile(name)
	if err != nil {
		panic("static: " + err.Error() + "; rebuild with templates/static complete")
	}
	return content
}
