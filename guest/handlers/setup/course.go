package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/lectern-lms/lectern/guest/lms"
)

// content holds the demo courses: a folder per course, named by its code, with
// course.md and one NN-id.md per lesson, NN giving the order.
//
//go:embed content
var content embed.FS

// motifs are the drawings that templates has for covers.
var motifs = []string{"grid", "leaves", "orbit", "waves"}

// loadCourses reads the demo courses in the order of their codes, and the
// texts of their lessons by course code and lesson id. An error names the file
// and, where there is one, the line.
func loadCourses() ([]lms.Course, map[string]map[string]lms.LessonText, error) {
	return readCourses(content)
}

// readCourses is loadCourses for any file system with a folder "content".
func readCourses(files fs.FS) ([]lms.Course, map[string]map[string]lms.LessonText, error) {
	folders, err := fs.ReadDir(files, "content")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the demo courses: %w", err)
	}
	var courses []lms.Course
	texts := map[string]map[string]lms.LessonText{}
	for _, folder := range folders {
		dir := path.Join("content", folder.Name())
		if !folder.IsDir() {
			return nil, nil, fmt.Errorf("%s: not a folder; a course is a folder with course.md and its lessons", dir)
		}
		course, lessons, err := readCourse(files, dir)
		if err != nil {
			return nil, nil, err
		}
		courses = append(courses, course)
		texts[course.Code] = lessons
	}
	return courses, texts, nil
}

// readCourse reads the course in a folder.
func readCourse(files fs.FS, dir string) (lms.Course, map[string]lms.LessonText, error) {
	data, err := fs.ReadFile(files, path.Join(dir, "course.md"))
	if err != nil {
		return lms.Course{}, nil, fmt.Errorf("%s: a course needs course.md: %w", dir, err)
	}
	course, err := parseCourse(path.Join(dir, "course.md"), data)
	if err != nil {
		return lms.Course{}, nil, err
	}
	entries, err := fs.ReadDir(files, dir) // sorted by name, so by the lessons' numbers
	if err != nil {
		return lms.Course{}, nil, fmt.Errorf("%s: %w", dir, err)
	}
	o := outline{course: &course, texts: map[string]lms.LessonText{}, numbers: map[string]string{}}
	for _, entry := range entries {
		if entry.Name() == "course.md" {
			continue
		}
		file := path.Join(dir, entry.Name())
		data, err := fs.ReadFile(files, file)
		if err != nil {
			return lms.Course{}, nil, fmt.Errorf("%s: %w", file, err)
		}
		if err := o.add(file, data); err != nil {
			return lms.Course{}, nil, err
		}
	}
	for _, s := range course.Sections {
		if len(s.Lessons) == 0 {
			return lms.Course{}, nil, fmt.Errorf("%s: section %q has no lessons; write one or remove the section", dir, s.Title)
		}
	}
	return course, o.texts, nil
}

// parseCourse reads a course.md. The folder that it is in gives the code. Demo
// courses are open and public.
func parseCourse(file string, data []byte) (lms.Course, error) {
	code := path.Base(path.Dir(file))
	if !lms.ValidCode(code) {
		return lms.Course{}, fmt.Errorf("%s: folder %q is no course code; use 1 to %d of a-z, 0-9, - and _", file, code, lms.MaxCodeLen)
	}
	doc, err := parseDocument(file, data, "title", "summary", "level", "language", "category",
		"tags", "teachers", "capacity", "motif", "updated", "section*")
	if err != nil {
		return lms.Course{}, err
	}
	course := lms.Course{
		Code:     code,
		Title:    doc.text("title"),
		Summary:  doc.text("summary"),
		Level:    lms.Level(doc.number("level", int(lms.LevelIntroductory), int(lms.LevelAdvanced))),
		Language: doc.text("language"),
		Category: doc.text("category"),
		Tags:     doc.list("tags"),
		Teachers: doc.list("teachers"),
		Motif:    doc.oneOf("motif", motifs),
		Updated:  doc.date("updated"),
		State:    lms.StateOpen,
		Public:   true,
	}
	if doc.has("capacity") {
		course.Capacity = doc.number("capacity", 1, 1_000_000)
	}
	for _, f := range doc.all("section") {
		title, summary, ok := strings.Cut(f.value, " | ")
		if !ok {
			return lms.Course{}, doc.errorf(f.line, `section %q has no summary; write "section: Title | Summary"`, f.value)
		}
		course.Sections = append(course.Sections, lms.Section{Title: strings.TrimSpace(title), Summary: strings.TrimSpace(summary)})
	}
	if doc.err == nil && len(course.Sections) == 0 {
		doc.err = doc.errorf(1, `no section; write at least one "section: Title | Summary"`)
	}
	course.Description, err = doc.html()
	return course, errors.Join(doc.err, err)
}

// outline puts lessons into a course as their files are read, in order.
type outline struct {
	course *lms.Course
	texts  map[string]lms.LessonText
	// numbers maps the number of each lesson's file to the file.
	numbers map[string]string
	// section is that of the last lesson, counted from 1.
	section int
}

// add reads one lesson file. Lessons of a section must follow each other.
func (o *outline) add(file string, data []byte) error {
	number, id, err := lessonName(file)
	if err != nil {
		return err
	}
	if other, taken := o.numbers[number]; taken {
		return fmt.Errorf("%s: has the number of %s; give each lesson its own", file, other)
	}
	if _, taken := o.texts[id]; taken {
		return fmt.Errorf("%s: id %q is taken by another lesson of the course", file, id)
	}
	doc, err := parseDocument(file, data, "section", "title", "minutes", "required", "preview")
	if err != nil {
		return err
	}
	section := doc.number("section", max(o.section, 1), len(o.course.Sections))
	lesson := lms.Lesson{
		ID:       id,
		Title:    doc.text("title"),
		Kind:     "text",
		Minutes:  doc.number("minutes", 1, 120),
		Required: doc.flag("required", true),
		Preview:  doc.flag("preview", false),
	}
	html, err := doc.html()
	if err := errors.Join(doc.err, err); err != nil {
		return err
	}
	into := &o.course.Sections[section-1]
	into.Lessons = append(into.Lessons, lesson)
	o.section, o.numbers[number], o.texts[id] = section, file, lms.LessonText{HTML: html}
	return nil
}

// lessonName takes the name of a lesson's file apart.
func lessonName(file string) (number, id string, err error) {
	base, isMarkdown := strings.CutSuffix(path.Base(file), ".md")
	number, id, ok := strings.Cut(base, "-")
	digits := len(number) == 2 && !slices.ContainsFunc([]byte(number), func(b byte) bool { return b < '0' || b > '9' })
	if !isMarkdown || !ok || !digits || !lms.ValidLessonID(id) {
		return "", "", fmt.Errorf(`%s: not the name of a lesson; use NN-id.md: two digits and 1 to %d of a-z, 0-9 and -`, file, lms.MaxLessonIDLen)
	}
	return number, id, nil
}
