package templates

import (
	"github.com/a-h/templ"

	"github.com/lectern-lms/lectern/guest/lms"
)

// place is what a course's page offers its reader to do.
type place uint8

// The places a reader can be in, from the inside out.
const (
	placeEnrolled place = iota
	placeDraft
	placeClosed
	placeFull
	placeVisitor
	placeOpen
)

// readersPlace finds what a course's page offers. A course that is not open
// says so before it asks a visitor to sign in for nothing.
func readersPlace(p Page, v CourseView) place {
	switch {
	case v.Enrolled:
		return placeEnrolled
	case v.Course.State == lms.StateDraft:
		return placeDraft
	case v.Course.State != lms.StateOpen:
		return placeClosed
	case v.Course.Capacity > 0 && v.SeatsLeft == 0:
		return placeFull
	case !p.Viewer.SignedIn:
		return placeVisitor
	}
	return placeOpen
}

// readable reports whether a lesson's text is open to the reader, so that only
// those are links. The handlers decide by the same rule.
func readable(p Page, v CourseView, l lms.Lesson) bool {
	return lms.CanRead(v.Course, l, v.Enrolled, lms.Viewer{SignedIn: p.Viewer.SignedIn, Role: p.Viewer.Role})
}

// resumePath is the lesson to go on with; the first one if the handler names
// none, "" if the course has no lessons.
func resumePath(v CourseView) string {
	if v.Resume != "" {
		return v.Resume
	}
	for _, s := range v.Course.Sections {
		for _, l := range s.Lessons {
			return string(lessonURL(v.Course.Code, l.ID, ""))
		}
	}
	return ""
}

// sectionDone counts the completed lessons of a section.
func sectionDone(v CourseView, s lms.Section) int {
	n := 0
	for i := range s.Lessons {
		if v.Done[s.Lessons[i].ID] {
			n++
		}
	}
	return n
}

// courseHome is where a lesson's reader goes to see the whole course: their
// progress if they are in it, else its public page.
func courseHome(v CourseView) templ.SafeURL {
	if v.Enrolled {
		return courseURL(v.Course.Code, "/take")
	}
	return courseURL(v.Course.Code, "/view")
}

// resumeText is what the button that leads into the lessons says.
func resumeText(lang string, v CourseView) string {
	switch {
	case !v.Completed.IsZero():
		return T(lang, "course.review")
	case len(v.Done) == 0:
		return T(lang, "course.start")
	}
	return T(lang, "course.resume")
}

// contentText counts the sections and lessons of a course.
func contentText(lang string, c lms.Course) string {
	return TN(lang, "count.sections", len(c.Sections)) + ", " + TN(lang, "count.lessons", lms.LessonCount(c))
}

// minutesText is the reading time of a course; "" if it is not known.
func minutesText(lang string, c lms.Course) string {
	if minutes := lms.Minutes(c); minutes > 0 {
		return FormatMinutes(lang, minutes)
	}
	return ""
}

// lessonAt finds the lesson that a path leads to, if the reader may read it:
// the reader of a preview has no way on to lessons that are closed to them.
func lessonAt(p Page, v CourseView, path string) (lms.Lesson, bool) {
	if path == "" {
		return lms.Lesson{}, false
	}
	for i := range v.Course.Sections {
		for _, l := range v.Course.Sections[i].Lessons {
			if string(lessonURL(v.Course.Code, l.ID, "")) == path {
				return l, readable(p, v, l)
			}
		}
	}
	return lms.Lesson{}, false
}
