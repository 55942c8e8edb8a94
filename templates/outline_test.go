package templates

import (
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/lms"
)

// TestReadersPlace covers what a course's page offers to whom.
func TestReadersPlace(t *testing.T) {
	t.Parallel()
	visitor, member := Page{}, Page{Viewer: Viewer{SignedIn: true}}
	course := func(s lms.State, capacity int) lms.Course { return lms.Course{State: s, Capacity: capacity} }
	for name, c := range map[string]struct {
		page Page
		view CourseView
		want place
	}{
		"visitor":            {visitor, CourseView{Course: course(lms.StateOpen, 0), SeatsLeft: -1}, placeVisitor},
		"member":             {member, CourseView{Course: course(lms.StateOpen, 0), SeatsLeft: -1}, placeOpen},
		"no limit, no seats": {member, CourseView{Course: course(lms.StateOpen, 0)}, placeOpen},
		"full":               {member, CourseView{Course: course(lms.StateOpen, 5)}, placeFull},
		"full for visitors":  {visitor, CourseView{Course: course(lms.StateOpen, 5)}, placeFull},
		"last seat":          {member, CourseView{Course: course(lms.StateOpen, 5), SeatsLeft: 1}, placeOpen},
		"closed":             {member, CourseView{Course: course(lms.StateClosed, 0)}, placeClosed},
		"finalized":          {visitor, CourseView{Course: course(lms.StateFinalized, 0)}, placeClosed},
		"draft":              {member, CourseView{Course: course(lms.StateDraft, 0)}, placeDraft},
		"enrolled in closed": {member, CourseView{Course: course(lms.StateClosed, 0), Enrolled: true}, placeEnrolled},
	} {
		if got := readersPlace(c.page, c.view); got != c.want {
			t.Errorf("%s: %d; want %d", name, got, c.want)
		}
	}
}

// TestOnlyOpenLessonsAreLinks wants links to exactly the lessons that the
// reader may read, in the outline, beside a lesson and below it.
func TestOnlyOpenLessonsAreLinks(t *testing.T) {
	t.Parallel()
	const open, shut = "/resource/text/the-turning-sky", "/resource/text/shadow"
	visitor := Page{Lang: "en"}
	member := Page{Lang: "en", Viewer: Viewer{SignedIn: true}}
	admin := Page{Lang: "en", Viewer: Viewer{SignedIn: true, Role: lms.RoleAdmin}}
	in := sampleLessonView()
	out := in
	out.Enrolled, out.Done = false, nil
	for name, c := range map[string]struct {
		page Page
		view LessonView
		want bool
	}{
		"visitor": {visitor, out, false}, "not enrolled": {member, out, false},
		"enrolled": {member, in, true}, "admin": {admin, out, true},
	} {
		pages := map[string]string{
			"course": render(t, Course(c.page, c.view.CourseView)),
			"lesson": render(t, Lesson(c.page, c.view)),
		}
		for kind, source := range pages {
			if !strings.Contains(source, open+`"`) {
				t.Errorf("%s %s: no link to the open lesson", name, kind)
			}
			if got := strings.Contains(source, shut+`"`); got != c.want {
				t.Errorf("%s %s: link to the closed lesson is %v; want %v", name, kind, got, c.want)
			}
		}
	}
}

// TestResume covers the button that leads into the lessons.
func TestResume(t *testing.T) {
	t.Parallel()
	v := sampleView()
	if got := resumePath(v); got != v.Resume {
		t.Errorf("resumePath = %q; want the handler's %q", got, v.Resume)
	}
	v.Resume = ""
	if got := resumePath(v); got != "/course/naked-eye-sky/resource/text/the-turning-sky" {
		t.Errorf("resumePath = %q; want the first lesson", got)
	}
	if got := resumePath(CourseView{}); got != "" {
		t.Errorf("resumePath without lessons = %q", got)
	}
	texts := []string{resumeText("en", v)}
	v.Done = nil
	texts = append(texts, resumeText("en", v))
	v.Completed = day
	texts = append(texts, resumeText("en", v))
	if got := strings.Join(texts, "|"); got != "Continue|Start the course|Read it again" {
		t.Errorf("resumeText = %q", got)
	}
}
