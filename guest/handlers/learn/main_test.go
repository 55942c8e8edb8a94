package main

import (
	"maps"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/handlers/page/pagetest"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// student is a site whose reader is "student", enrolled in the courses named.
func student(t *testing.T, courses ...string) *sdk.Fake {
	f := pagetest.New(t).SignIn("student")
	for _, code := range courses {
		pagetest.Put(t, f, "enrolment/id-student/"+code, lms.Enrolment{Course: code})
	}
	return f
}

// notices checks which notices wait, and takes them.
func notices(t *testing.T, f *sdk.Fake, want ...string) {
	t.Helper()
	if len(f.Notices) != len(want) {
		t.Errorf("notices %q, want %q", f.Notices, want)
		return
	}
	for i := range want {
		if f.Notices[i] != want[i] {
			t.Errorf("notices %q, want %q", f.Notices, want)
		}
	}
	f.Notices = nil
}

// TestEnrol takes a place once, however often it is asked for.
func TestEnrol(t *testing.T) {
	t.Parallel()
	f := student(t)
	a := f.Serve("POST", "/course/open/enroll", nil)
	pagetest.Leads(t, a, "/course/open/take")
	notices(t, f, "success\tnotice.enrolled")
	if e := pagetest.Get[lms.Enrolment](t, f, "enrolment/id-student/open"); e.Course != "open" || !e.At.Equal(f.Now) {
		t.Errorf("enrolled as %+v", e)
	}
	if n := pagetest.Get[int](t, f, "seats/open"); n != 1 || len(a.Written) != 2 {
		t.Errorf("%d places taken, written %v", n, a.Written)
	}
	a = f.Serve("POST", "/course/open/enroll", nil)
	pagetest.Leads(t, a, "/course/open/take")
	notices(t, f, "info\tnotice.already_enrolled")
	if n := pagetest.Get[int](t, f, "seats/open"); n != 1 || len(a.Written) != 0 {
		t.Errorf("the second time took place %d, written %v", n, a.Written)
	}
}

// TestEnrolFillsACourse lets two people take two places and no third.
func TestEnrolFillsACourse(t *testing.T) {
	t.Parallel()
	f := student(t)
	for _, login := range []string{"student", "other", "boss"} {
		f.SignIn(login).Serve("POST", "/course/open/enroll", nil)
	}
	notices(t, f, "success\tnotice.enrolled", "success\tnotice.enrolled", "error\tnotice.course_full")
	if n := pagetest.Get[int](t, f, "seats/open"); n != 2 {
		t.Errorf("%d places taken of 2", n)
	}
	if _, ok := f.Records["enrolment/id-boss/open"]; ok {
		t.Error("the third got in")
	}
}

// TestEnrolRefuses names why, or says that there is no such course.
func TestEnrolRefuses(t *testing.T) {
	t.Parallel()
	f := student(t)
	a := f.Serve("POST", "/course/closed/enroll", nil)
	pagetest.Leads(t, a, "/course/closed/view")
	notices(t, f, "error\tnotice.course_closed")
	if len(a.Written) != 0 {
		t.Errorf("written %v", a.Written)
	}
	for _, code := range []string{"draft", "none", "..%2Fopen"} {
		pagetest.Fails(t, f.Serve("POST", "/course/"+code+"/enroll", nil), 404)
	}
	pagetest.Fails(t, f.SignIn("boss").Serve("POST", "/course/draft/enroll", nil), 404)
}

// TestVisitorsAreSentToSignIn asks for every route as nobody.
func TestVisitorsAreSentToSignIn(t *testing.T) {
	t.Parallel()
	for _, r := range [][2]string{
		{"POST", "/course/open/enroll"}, {"GET", "/course/open/take"}, {"GET", "/home/panel"},
		{"POST", "/course/open/resource/text/first/complete"},
	} {
		f := pagetest.New(t)
		before := maps.Clone(f.Records)
		if a := f.Serve(r[0], r[1], nil); a.Status != 303 || len(f.Records) != len(before) {
			t.Errorf("%s %s: status %d", r[0], r[1], a.Status)
		}
	}
}

// TestTake shows the outline to who is enrolled and the course to others.
func TestTake(t *testing.T) {
	t.Parallel()
	f := student(t, "open")
	pagetest.Shows(t, f.Serve("GET", "/course/open/take", nil), 200, "First steps", "Extra steps", "/course/open/resource/text/first")
	pagetest.Leads(t, f.SignIn("other").Serve("GET", "/course/open/take", nil), "/course/open/view")
	pagetest.Fails(t, f.Serve("GET", "/course/none/take", nil), 404)
	pagetest.Fails(t, f.Serve("GET", "/course/draft/take", nil), 404)
}

// TestLesson follows who may read which lesson.
func TestLesson(t *testing.T) {
	t.Parallel()
	tests := []struct {
		login, enrolled, path string
		status                int
	}{
		{"", "", "open/resource/text/first", 200},
		{"", "", "open/resource/text/second", 303},
		{"student", "", "open/resource/text/second", 303},
		{"student", "open", "open/resource/text/second", 200},
		{"student", "closed", "closed/resource/text/second", 200},
		{"student", "", "closed/resource/text/first", 303},
		{"boss", "", "draft/resource/text/second", 200},
		{"student", "draft", "draft/resource/text/second", 404},
		{"", "", "members/resource/text/first", 404},
		{"", "", "open/resource/text/none", 404},
		{"student", "open", "open/resource/text/..%2Fsecond", 404},
		{"student", "open", "none/resource/text/first", 404},
	}
	for _, tt := range tests {
		f := pagetest.New(t)
		if tt.login != "" {
			f.SignIn(tt.login)
		}
		if tt.enrolled != "" {
			pagetest.Put(t, f, "enrolment/id-student/"+tt.enrolled, lms.Enrolment{Course: tt.enrolled})
		}
		switch a := f.Serve("GET", "/course/"+tt.path, nil); tt.status {
		case 200:
			pagetest.Shows(t, a, 200, "<p>text of ")
		case 404:
			pagetest.Fails(t, a, 404)
		default:
			if a.Status != tt.status || a.Body != "" {
				t.Errorf("%q %s: status %d, want %d", tt.login, tt.path, a.Status, tt.status)
			}
		}
	}
}

// TestLessonHasItsWayOn shows the button, the neighbours, and what is missing.
func TestLessonHasItsWayOn(t *testing.T) {
	t.Parallel()
	const complete = `action="/course/open/resource/text/second/complete"`
	f := student(t, "open")
	pagetest.Shows(t, f.Serve("GET", "/course/open/resource/text/second", nil), 200, complete,
		"/course/open/resource/text/first", "/course/open/resource/text/extra")
	f.Serve("POST", "/course/open/resource/text/second/complete", nil)
	pagetest.Shows(t, f.Serve("GET", "/course/open/resource/text/second", nil), 200, "!"+complete, "Lesson completed")
	pagetest.Shows(t, f.Serve("GET", "/course/open/resource/text/second", nil), 200, "!"+complete, "!Lesson completed.")
	delete(f.Records, "lesson/open/second")
	pagetest.Fails(t, f.Serve("GET", "/course/open/resource/text/second", nil), 404)
}

// TestComplete goes on from lesson to lesson until the course is completed.
func TestComplete(t *testing.T) {
	t.Parallel()
	const path = "/course/open/resource/text/"
	f := student(t, "open")
	pagetest.Leads(t, f.Serve("POST", path+"first/complete", nil), path+"second")
	notices(t, f, "success\tnotice.lesson_done")
	begun := f.Now
	f.Now = f.Now.Add(time.Hour)
	pagetest.Leads(t, f.Serve("POST", path+"first/complete", nil), path+"second")
	notices(t, f, "success\tnotice.lesson_done")
	p := pagetest.Get[lms.Progress](t, f, "progress/id-student/open")
	if len(p.Done) != 1 || !p.Done["first"].Equal(begun) || !p.Completed.IsZero() {
		t.Errorf("twice gave %+v", p)
	}
	pagetest.Leads(t, f.Serve("POST", path+"second/complete", nil), "/course/open/take")
	notices(t, f, "success\tnotice.course_completed")
	finished := f.Now
	f.Now = f.Now.Add(time.Hour)
	pagetest.Leads(t, f.Serve("POST", path+"extra/complete", nil), "/course/open/take")
	notices(t, f, "success\tnotice.lesson_done")
	p = pagetest.Get[lms.Progress](t, f, "progress/id-student/open")
	if len(p.Done) != 3 || !p.Completed.Equal(finished) || p.Last != "extra" {
		t.Errorf("the whole course gave %+v", p)
	}
}

// TestCompleteRefuses writes nothing for lessons that are not the reader's.
func TestCompleteRefuses(t *testing.T) {
	t.Parallel()
	f := student(t, "open")
	pagetest.Fails(t, f.Serve("POST", "/course/open/resource/text/none/complete", nil), 404)
	pagetest.Fails(t, f.Serve("POST", "/course/none/resource/text/first/complete", nil), 404)
	pagetest.Fails(t, f.Serve("POST", "/course/draft/resource/text/first/complete", nil), 404)
	a := f.SignIn("other").Serve("POST", "/course/open/resource/text/first/complete", nil)
	pagetest.Leads(t, a, "/course/open/view")
	if len(a.Written) > 0 {
		t.Errorf("progress without an enrolment: %v", a.Written)
	}
	if a := f.Serve("GET", "/course/open/resource/text/first/complete", nil); a.Status != 405 {
		t.Errorf("GET that would write: status %d", a.Status)
	}
}

// TestPanel sorts the reader's courses into current and completed ones.
func TestPanel(t *testing.T) {
	t.Parallel()
	f := student(t)
	pagetest.Shows(t, f.Serve("GET", "/home/panel", nil), 200, "!Course open", "/course/explore")
	f = student(t, "open", "closed", "draft", "gone")
	pagetest.Put(t, f, "progress/id-student/closed", lms.Progress{Done: map[string]time.Time{"first": f.Now, "second": f.Now}})
	pagetest.Shows(t, f.Serve("GET", "/home/panel", nil), 200,
		"Course open", "Course closed", "!Course draft", "!Course members", `id="current"`, `id="completed"`)
	pagetest.Shows(t, f.SignIn("other").Serve("GET", "/home/panel", nil), 200, "!Course open")
}

// TestHostileTextIsEscaped puts scripts into a course; only the text of a
// lesson, which is cleaned when it is written, is HTML.
func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	f := student(t, "open")
	c := pagetest.Courses()[0]
	c.Title, c.Language, c.Sections[0].Title = pagetest.Hostile, pagetest.Hostile, pagetest.Hostile
	c.Sections[0].Lessons[0].Title, c.Sections[0].Lessons[1].Title = pagetest.Hostile, pagetest.Hostile
	pagetest.AddCourse(t, f, c)
	pagetest.Put(t, f, "profile/id-student", lms.Profile{Name: pagetest.Hostile})
	for _, path := range []string{"/course/open/take", "/course/open/resource/text/first", "/home/panel"} {
		pagetest.Escaped(t, f.Serve("GET", path, nil))
	}
}
