package templates

import (
	"os"
	"path/filepath"
	"testing"
)

// maxWeight is how many bytes the first view of a page may load before
// compression: the page, the stylesheet, the script and the icon.
const maxWeight = 100_000

// TestFirstViewIsLight adds up what a first view loads.
func TestFirstViewIsLight(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("static/css/*.css")
	if err != nil || len(files) == 0 {
		t.Fatal("no stylesheet found:", err)
	}
	shared := 0
	for _, name := range append(files, "static/js/app.js", "static/favicon.svg") {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		shared += len(content)
	}
	for _, l := range Languages {
		for _, s := range samplePages(l.Tag) {
			if total := shared + len(render(t, s.page)); total >= maxWeight {
				t.Errorf("%s %s loads %d bytes; keep it under %d", l.Tag, s.name, total, maxWeight)
			}
		}
	}
}
