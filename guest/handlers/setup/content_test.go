package main

import (
	"io/fs"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/lectern-lms/lectern/guest/lms"
)

// The bounds of a lesson's text, and how fast people read (words a minute).
const (
	minWords = 350
	maxWords = 700
	pace     = 200
)

// countWords counts what has a letter or digit in it between white space.
func countWords(text string) int {
	n := 0
	for _, w := range strings.Fields(text) {
		if strings.ContainsFunc(w, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
			n++
		}
	}
	return n
}

// load reads the embedded courses.
func load(t *testing.T) ([]lms.Course, map[string]map[string]lms.LessonText) {
	t.Helper()
	courses, texts, err := loadCourses()
	if err != nil {
		t.Fatal(err)
	}
	return courses, texts
}

func TestCourses(t *testing.T) {
	t.Parallel()
	courses, texts := load(t)
	levels, seenMotifs, limited := map[lms.Level]bool{}, map[string]bool{}, 0
	for _, c := range courses {
		levels[c.Level], seenMotifs[c.Motif] = true, true
		if c.Capacity == 50 {
			limited++
		}
		if !lms.ValidCode(c.Code) || c.State != lms.StateOpen || !c.Public || c.Updated.IsZero() {
			t.Errorf("%s: code, state or date: %+v", c.Code, c)
		}
		if n := len(c.Sections); n < 3 || n > 4 {
			t.Errorf("%s has %d sections", c.Code, n)
		}
		if n := lms.LessonCount(c); n < 9 || n > 12 || n != len(texts[c.Code]) {
			t.Errorf("%s has %d lessons and %d texts", c.Code, n, len(texts[c.Code]))
		}
		previews, optional, ids := 0, 0, map[string]bool{}
		for _, l := range lms.Lessons(c) {
			if !lms.ValidLessonID(l.ID) || ids[l.ID] || l.Kind != "text" {
				t.Errorf("%s: lesson %+v: id not valid or not unique, or wrong kind", c.Code, l)
			}
			ids[l.ID] = true
			if l.Preview {
				previews++
			}
			if !l.Required {
				optional++
			}
		}
		if previews != 1 || optional == 0 {
			t.Errorf("%s has %d previews and %d optional lessons", c.Code, previews, optional)
		}
	}
	if len(courses) != 4 || len(levels) != 4 || len(seenMotifs) != len(motifs) || limited != 1 {
		t.Errorf("%d courses, %d levels, %d motifs, %d of 50 places", len(courses), len(levels), len(seenMotifs), limited)
	}
}

func TestLessonLengths(t *testing.T) {
	t.Parallel()
	courses, _ := load(t)
	minutes := map[string]int{}
	for _, c := range courses {
		for _, l := range lms.Lessons(c) {
			minutes[c.Code+"/"+l.ID] = l.Minutes
		}
	}
	files, err := fs.Glob(content, "content/*/[0-9]*.md")
	if err != nil || len(files) != len(minutes) {
		t.Fatalf("%d files for %d lessons (%v)", len(files), len(minutes), err)
	}
	for _, file := range files {
		data, err := content.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := parseDocument(file, data, "section", "title", "minutes", "required", "preview")
		if err != nil {
			t.Fatal(err)
		}
		n := countWords(doc.body)
		if n < minWords || n > maxWords {
			t.Errorf("%s has %d words, not %d to %d", file, n, minWords, maxWords)
		}
		_, id, err := lessonName(file)
		got := minutes[path.Base(path.Dir(file))+"/"+id]
		if err != nil || 2*got*pace < n || 2*got*pace > 3*n {
			t.Errorf("%s says %d minutes for %d words (%v)", file, got, n, err)
		}
		heading := "\n## Try it\n"
		if strings.HasPrefix(file, "content/datos/") {
			heading = "\n## Practica\n"
		}
		if strings.Count(doc.body, heading) != 1 {
			t.Errorf("%s has not one section %q", file, strings.TrimSpace(heading))
		}
	}
}

// tag finds the tags of HTML; allowedTags are those that content may become.
var (
	tag         = regexp.MustCompile(`<(/?[a-z0-9]+)((?:\s+[a-z-]+="[^"<>]*")*)\s*/?>`)
	allowedTags = regexp.MustCompile(`^/?(h[2-6]|p|a|em|strong|del|code|pre|blockquote|ul|ol|li|hr|br|table|thead|tbody|tr|th|td)$`)
	allowedAttr = regexp.MustCompile(`^(\s+(id="h-[a-z0-9-]*"|href="[^"]*"|title="[^"]*"|align="(left|right|center)"|class="language-[^"]+"|start="[0-9]+"))*$`)
	heading     = regexp.MustCompile(`<h([1-6]) id="([^"]*)">`)
)

// checkHTML reports what a page must not hold: anything but plain tags with
// harmless attributes, headings above level 2, and ids that are taken.
func checkHTML(t *testing.T, where, html string) {
	t.Helper()
	rest := tag.ReplaceAllStringFunc(html, func(s string) string {
		parts := tag.FindStringSubmatch(s)
		if !allowedTags.MatchString(parts[1]) || !allowedAttr.MatchString(parts[2]) {
			t.Errorf("%s: tag %s", where, s)
		}
		return ""
	})
	if strings.ContainsAny(rest, "<>") {
		t.Errorf("%s: HTML outside of known tags in %q", where, rest)
	}
	ids := map[string]bool{}
	for _, h := range heading.FindAllStringSubmatch(html, -1) {
		if h[1] == "1" || ids[h[2]] {
			t.Errorf("%s: heading %s", where, h[0])
		}
		ids[h[2]] = true
	}
}

func TestHTML(t *testing.T) {
	t.Parallel()
	courses, texts := load(t)
	tables := 0
	for _, c := range courses {
		checkHTML(t, c.Code, c.Description)
		for id, text := range texts[c.Code] {
			checkHTML(t, c.Code+"/"+id, text.HTML)
			tables += strings.Count(text.HTML, "<table>")
			if strings.Contains(text.HTML, "\t|") || strings.Contains(text.HTML, "<p>|") {
				t.Errorf("%s/%s: a table that is not one", c.Code, id)
			}
		}
	}
	if tables < 30 {
		t.Errorf("only %d tables were understood", tables)
	}
}
