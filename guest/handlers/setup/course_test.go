package main

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lectern-lms/lectern/guest/lms"
)

// goodCourse and goodLesson are the smallest files with every field.
const (
	goodCourse = `---
title: Tides: an introduction
summary: Why the sea comes and goes.
level: 3
language: en
category: Nature
tags: sea , moon
teachers: Ada Reyes, Bo Lind
capacity: 12
motif: waves
updated: 2026-01-31

section: Rise | The sea comes.
section: Fall | The sea goes.
---
Read *this*.
`
	goodLesson = `---
section: 1
title: Two bulges
minutes: 3
required: no
preview: yes
---
## Marés & müdes

| a | b |
|:--|--:|
| 1 | 2 |

## Marés & müdes
`
)

// files makes a content folder with the course "tides": the good files, then
// those of changes by their names below the course's folder; nil removes one.
func files(changes map[string]any) fstest.MapFS {
	all := map[string]any{
		"course.md": goodCourse, "01-one.md": goodLesson,
		"02-two.md": strings.Replace(goodLesson, "section: 1", "section: 2", 1),
	}
	for name, text := range changes {
		all[name] = text
	}
	made := fstest.MapFS{}
	for name, text := range all {
		if text, ok := text.(string); ok {
			made["content/tides/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return made
}

func TestReadCourses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(string) string{
		"unix":    func(s string) string { return s },
		"windows": func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
	} {
		courses, texts, err := readCourses(files(map[string]any{"course.md": change(goodCourse), "01-one.md": change(goodLesson)}))
		if err != nil || len(courses) != 1 {
			t.Fatalf("%s: %d courses, %v", name, len(courses), err)
		}
		c := courses[0]
		if c.Code != "tides" || c.Title != "Tides: an introduction" || c.Level != lms.LevelAdvanced || c.Capacity != 12 ||
			strings.Join(c.Tags, "+") != "sea+moon" || strings.Join(c.Teachers, "+") != "Ada Reyes+Bo Lind" ||
			c.Updated.Format("02.01.2006") != "31.01.2026" || c.Description != "<p>Read <em>this</em>.</p>\n" {
			t.Errorf("%s: course %+v", name, c)
		}
		if len(c.Sections) != 2 || c.Sections[1].Title != "Fall" || c.Sections[1].Summary != "The sea goes." {
			t.Fatalf("%s: sections %+v", name, c.Sections)
		}
		want := lms.Lesson{ID: "one", Title: "Two bulges", Kind: "text", Minutes: 3, Preview: true}
		if l := c.Sections[0].Lessons; len(l) != 1 || l[0] != want {
			t.Errorf("%s: lessons %+v, want %+v", name, l, want)
		}
		html := texts["tides"]["one"].HTML
		for _, part := range []string{`<h2 id="h-mares-mudes">`, `<h2 id="h-mares-mudes-2">`, `<td align="left">1</td>`, `<td align="right">2</td>`} {
			if !strings.Contains(html, part) {
				t.Errorf("%s: %s is not in %s", name, part, html)
			}
		}
	}
}

func TestReadCoursesDefaults(t *testing.T) {
	t.Parallel()
	course := strings.Replace(goodCourse, "capacity: 12\n", "", 1)
	lesson := strings.NewReplacer("required: no\n", "", "preview: yes\n", "").Replace(goodLesson)
	courses, _, err := readCourses(files(map[string]any{"course.md": course, "01-one.md": lesson}))
	if err != nil {
		t.Fatal(err)
	}
	if l := courses[0].Sections[0].Lessons[0]; !l.Required || l.Preview || courses[0].Capacity != 0 {
		t.Errorf("lesson %+v, capacity %d", l, courses[0].Capacity)
	}
}

// swap returns text with one part replaced; the part must be there.
func swap(text, old, with string) string {
	if !strings.Contains(text, old) {
		panic("test: no " + old)
	}
	return strings.Replace(text, old, with, 1)
}

func TestReadCoursesRefuses(t *testing.T) {
	t.Parallel()
	course := func(old, with string) map[string]any {
		return map[string]any{"course.md": swap(goodCourse, old, with)}
	}
	lesson := func(old, with string) map[string]any {
		return map[string]any{"01-one.md": swap(goodLesson, old, with)}
	}
	body := func(text string) map[string]any { return lesson("| a | b |", text+"\n\n| a | b |") }
	tests := map[string]struct {
		changes map[string]any
		want    string // the beginning of the error after "content/tides"
	}{
		"no course.md":           {map[string]any{"course.md": nil}, ": a course needs course.md"},
		"no first fence":         {course("---\ntitle", "title"), "/course.md:1: no fields"},
		"no last fence":          {map[string]any{"course.md": "---\ntitle: x\n"}, "/course.md:1: the fields do not end"},
		"empty file":             {map[string]any{"01-one.md": ""}, "/01-one.md:1: no fields"},
		"no body":                {course("Read *this*.\n", " "), "/course.md:16: no text"},
		"not a field":            {course("level: 3", "level 3"), `/course.md:4: "level 3" is not a field`},
		"unknown field":          {course("level: 3", "colour: red"), `/course.md:4: unknown field "colour"; there are title,`},
		"field of a lesson":      {course("level: 3", "minutes: 3"), `/course.md:4: unknown field "minutes"`},
		"second field":           {course("level: 3", "title: y"), `/course.md:4: second field "title"`},
		"empty field":            {course("level: 3", "level: "), `/course.md:4: field "level" is empty`},
		"missing field":          {course("language: en\n", ""), `/course.md:1: no field "language"`},
		"level not a number":     {course("level: 3", "level: high"), `/course.md:4: level "high" is wrong; write a whole number from 0 to 3`},
		"level too high":         {course("level: 3", "level: 4"), `/course.md:4: level "4" is wrong`},
		"no capacity":            {course("capacity: 12", "capacity: 0"), `/course.md:9: capacity "0" is wrong`},
		"unknown motif":          {course("motif: waves", "motif: squares"), `/course.md:10: motif "squares" is unknown; use one of grid, leaves, orbit, waves`},
		"date":                   {course("2026-01-31", "2026-02-31"), `/course.md:11: updated "2026-02-31" is not a day`},
		"empty tag":              {course("sea , moon", "sea,,moon"), "/course.md:7: tags has an empty value"},
		"section of one part":    {course("Rise | The sea comes.", "Rise"), `/course.md:13: section "Rise" has no summary`},
		"no sections":            {course("section: Rise | The sea comes.\nsection: Fall | The sea goes.\n", ""), "/course.md:1: no section"},
		"section without lesson": {map[string]any{"02-two.md": nil}, `: section "Fall" has no lessons`},
		"name without a number":  {map[string]any{"one.md": goodLesson}, "/one.md: not the name of a lesson"},
		"name with three digits": {map[string]any{"001-x.md": goodLesson}, "/001-x.md: not the name of a lesson"},
		"name with capitals":     {map[string]any{"03-Two.md": goodLesson}, "/03-Two.md: not the name of a lesson"},
		"name of another type":   {map[string]any{"03-two.txt": goodLesson}, "/03-two.txt: not the name of a lesson"},
		"name too long":          {map[string]any{"03-" + strings.Repeat("x", 41) + ".md": goodLesson}, "/03-xxx"},
		"number twice":           {map[string]any{"01-too.md": goodLesson}, "/01-too.md: has the number of content/tides/01-one.md"},
		"id twice":               {map[string]any{"03-one.md": goodLesson}, `/03-one.md: id "one" is taken`},
		"folder in a course":     {map[string]any{"03-x.md/y": goodLesson}, "/03-x.md: "},
		"section that is not":    {lesson("section: 1", "section: 3"), `/01-one.md:2: section "3" is wrong; write a whole number from 1 to 2`},
		"sections out of order":  {lesson("section: 1", "section: 2"), `: section "Rise" has no lessons`},
		"back to a section":      {map[string]any{"03-three.md": goodLesson}, `/03-three.md:2: section "1" is wrong; write a whole number from 2 to 2`},
		"no minutes":             {lesson("minutes: 3", "minutes: 0"), `/01-one.md:4: minutes "0" is wrong`},
		"flag":                   {lesson("required: no", "required: maybe"), `/01-one.md:5: required "maybe" is unknown; use one of yes, no`},
		"not UTF-8":              {body("caf\xe9"), "/01-one.md:10: not UTF-8"},
		"control character":      {body("a\x00b"), `/01-one.md:10: control character "\x00"`},
		"carriage return alone":  {body("a\rb"), `/01-one.md:10: control character "\r"`},
		"block of HTML":          {body("<div>x</div>"), "/01-one.md:10: HTML"},
		"HTML in a line":         {body("first\nx <b>y</b>"), "/01-one.md:11: HTML"},
		"HTML comment":           {body("<!-- note -->"), "/01-one.md:10: HTML"},
		"image":                  {body("![x](https://a.example/x.png)"), "/01-one.md:10: an image"},
		"h1":                     {body("# Title"), "/01-one.md:10: heading of level 1 after level 2"},
		"h1, underlined":         {body("Title\n====="), "/01-one.md:10: heading of level 1"},
		"skipped level":          {body("#### Deep"), "/01-one.md:10: heading of level 4 after level 2"},
		"http link":              {body("[x](http://a.example/)"), `/01-one.md:10: link to "http://a.example/"`},
		"script link":            {body("[x](javascript:alert)"), "/01-one.md:10: link to"},
		"script link, spaced":    {body("[x](<java\tscript:alert>)"), "/01-one.md:10: link to"},
		"link to another host":   {body("[x](//a.example/)"), "/01-one.md:10: link to"},
		"backslashes":            {body(`[x](/\\a.example/)`), "/01-one.md:10: link to"},
		"link without host":      {body("[x](https:/a)"), "/01-one.md:10: link to"},
		"empty link":             {body("[x]()"), "/01-one.md:10: link to"},
		"link by reference":      {body("[x][y]\n\n[y]: data:text/html,x"), "/01-one.md:10: link to"},
		"mail link":              {body("<a@b.example>"), "/01-one.md:10: link to"},
		"autolink":               {body("<http://a.example>"), "/01-one.md:10: link to"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			courses, texts, err := readCourses(files(tt.changes))
			if err == nil || courses != nil || texts != nil {
				t.Fatalf("accepted: %v, %v", courses, err)
			}
			if !strings.HasPrefix(err.Error(), "content/tides"+tt.want) {
				t.Errorf("got  %v\nwant content/tides%s...", err, tt.want)
			}
		})
	}
}

func TestReadCoursesRefusesFolders(t *testing.T) {
	t.Parallel()
	good := &fstest.MapFile{Data: []byte(goodCourse)}
	tests := map[string]struct {
		files fstest.MapFS
		want  string
	}{
		"no content":       {fstest.MapFS{}, "reading the demo courses"},
		"stray file":       {fstest.MapFS{"content/notes.txt": good}, "content/notes.txt: not a folder"},
		"name of a folder": {fstest.MapFS{"content/Tides/course.md": good}, `content/Tides/course.md: folder "Tides" is no course code`},
	}
	for name, tt := range tests {
		if _, _, err := readCourses(tt.files); err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", name, err, tt.want)
		}
	}
}

func TestLinksThatAreFine(t *testing.T) {
	t.Parallel()
	for _, link := range []string{"[x](https://a.example/b?c=d#e)", "[x](#h-top)", "[x](/course/explore)", "[x](../other)", "<https://a.example>"} {
		doc, err := parseDocument("f.md", []byte("---\n---\n"+link))
		if err != nil {
			t.Fatal(err)
		}
		if html, err := doc.html(); err != nil || !strings.Contains(html, "<a href=") {
			t.Errorf("%s gives %q, %v", link, html, err)
		}
	}
}

// FuzzLesson reads lessons of any bytes: no panic, an error that names the
// file, or HTML that is safe in a page.
func FuzzLesson(f *testing.F) {
	f.Add([]byte(goodLesson))
	for _, body := range []string{"<b>x</b>", "[x](javascript:y)", "## \n## ", "| a |\n|:-:|\n| <i> |", "\\<x>", "&lt;script&gt;", "1. a\n\n7) b\n***\n~~c~~", "```a\"b<c\nx\n```", "[a]: x\n\n[a]", "`<b>`"} {
		f.Add([]byte("---\nsection: 1\ntitle: x\nminutes: 1\n---\n" + body))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		course := lms.Course{Sections: make([]lms.Section, 2)}
		o := outline{course: &course, texts: map[string]lms.LessonText{}, numbers: map[string]string{}}
		if err := o.add("content/tides/01-one.md", data); err != nil {
			if !strings.HasPrefix(err.Error(), "content/tides/01-one.md:") {
				t.Errorf("error without a place: %v", err)
			}
			return
		}
		checkHTML(t, "lesson", strings.ReplaceAll(o.texts["one"].HTML, "&gt;", ""))
	})
}

// FuzzCourse does the same for course.md.
func FuzzCourse(f *testing.F) {
	f.Add([]byte(goodCourse))
	f.Add([]byte("---\n---\nx"))
	f.Add([]byte("---\r\nsection: | \r\n---\r\nx"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseCourse("content/tides/course.md", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "content/tides/course.md:") {
				t.Errorf("error without a place: %v", err)
			}
			return
		}
		if c.Title == "" || len(c.Sections) == 0 || c.Level > lms.LevelAdvanced {
			t.Errorf("accepted a course with holes: %+v", c)
		}
		checkHTML(t, "course", c.Description)
	})
}
