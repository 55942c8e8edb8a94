package templates

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/a-h/templ"
)

// out is a folder to write the sample's pages to, to be looked at in a
// browser; see TestSamplePages.
var out = flag.String("out", "", "write the sample pages to this folder")

// render is a component as HTML.
func render(t testing.TB, c templ.Component) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Render(context.Background(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSamplePages renders every page in every language. With -out it leaves
// them in a folder, one file a page, for a look with any static file server.
func TestSamplePages(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		for _, s := range samplePages(l.Tag) {
			html := render(t, s.page)
			if len(html) < 500 {
				t.Errorf("%s %s has only %d bytes", l.Tag, s.name, len(html))
			}
			if *out == "" {
				continue
			}
			name := filepath.Join(*out, l.Tag+"-"+s.name+".html")
			if err := os.WriteFile(name, []byte(html), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// BenchmarkLesson renders the largest page.
func BenchmarkLesson(b *testing.B) {
	page := Lesson(Page{Lang: "en", Site: "Lectern", Viewer: Viewer{SignedIn: true, Name: "Nadia"}}, sampleLessonView())
	var w bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		w.Reset()
		if err := page.Render(context.Background(), &w); err != nil {
			b.Fatal(err)
		}
	}
}

// TestSignOutIsOnEveryPage of a signed-in person, and on no other.
func TestSignOutIsOnEveryPage(t *testing.T) {
	t.Parallel()
	members := 0
	for _, s := range samplePages("en") {
		page := render(t, s.page)
		member := strings.Contains(page, `class="account"`)
		if member {
			members++
		}
		if strings.Contains(page, `<form method="post" action="/user/logout">`) != member {
			t.Errorf("%s: signed in %v, and sign-out is not where it should be", s.name, member)
		}
	}
	if members < 10 {
		t.Errorf("only %d pages are those of signed-in people", members)
	}
}
