// Command learn is the handler of a learner's own pages: enrolling, the
// outline of a course with progress, its lessons, and the panel of their
// courses.
package main

import (
	"errors"

	"github.com/lectern-lms/lectern/guest/handlers/page"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
	"github.com/lectern-lms/lectern/templates"
)

// init registers the routes of the manifest.
func init() {
	sdk.Handle("POST /course/{code}/enroll", enrol)
	sdk.Handle("GET /course/{code}/take", take)
	sdk.Handle("GET /course/{code}/resource/text/{id}", lesson)
	sdk.Handle("POST /course/{code}/resource/text/{id}/complete", complete)
	sdk.Handle("GET /home/panel", panel)
}

// main is never run: the host calls the functions that init registers.
func main() {}

// refusals are the notices for the reasons not to enrol somebody.
var refusals = map[error]string{
	lms.ErrAlreadyEnrolled: "notice.already_enrolled",
	lms.ErrClosed:          "notice.course_closed",
	lms.ErrFull:            "notice.course_full",
}

// enrol takes a place for the reader and goes on to the outline.
func enrol(w *sdk.Response, r *sdk.Request) error {
	v, _, err := page.Course(r)
	if err != nil {
		return err
	}
	code, user := v.Course.Code, r.User().ID
	taken, err := store.Taken(r, code)
	if err != nil {
		return err
	}
	if why := lms.CanEnrol(v.Course, v.Enrolled, taken); why != nil {
		return decline(w, r, v, why)
	}
	if err := store.Enrol(r, user, lms.Enrolment{Course: code, At: r.Now()}, taken); err != nil {
		return err
	}
	w.Redirect("/course/" + code + "/take")
	return page.Notify(r, "success", "notice.enrolled")
}

// decline says why somebody could not be enrolled.
func decline(w *sdk.Response, r *sdk.Request, v templates.CourseView, why error) error {
	message, ok := refusals[why]
	if !ok {
		return sdk.ErrNotFound
	}
	kind, target := "error", "/view"
	if errors.Is(why, lms.ErrAlreadyEnrolled) {
		kind, target = "info", "/take"
	}
	w.Redirect("/course/" + v.Course.Code + target)
	return page.Notify(r, kind, message)
}

// take is the outline of a course with the reader's progress. Whoever is not
// enrolled sees the course's own page instead.
func take(w *sdk.Response, r *sdk.Request) error {
	v, _, err := page.Course(r)
	if err != nil {
		return err
	}
	if !v.Enrolled {
		w.Redirect("/course/" + v.Course.Code + "/view")
		return nil
	}
	p, err := page.New(r, v.Course.Title)
	if err != nil {
		return err
	}
	return w.Page(200, templates.Take(p, v))
}

// lesson is a lesson to read, with the outline beside it.
func lesson(w *sdk.Response, r *sdk.Request) error {
	v, err := lessonView(r)
	if errors.Is(err, errNotEnrolled) {
		w.Redirect("/course/" + v.Course.Code + "/view")
		return nil
	}
	if err != nil {
		return err
	}
	text, found, err := store.LessonText(r, v.Course.Code, v.Lesson.ID)
	if err != nil {
		return err
	}
	if !found {
		return sdk.ErrNotFound
	}
	v.HTML = text.HTML
	p, err := page.New(r, v.Lesson.Title)
	if err != nil {
		return err
	}
	return w.Page(200, templates.Lesson(p, v))
}

// errNotEnrolled says that the lesson is for enrolled people.
var errNotEnrolled = errors.New("learn: not enrolled")

// lessonView reads the course and finds the lesson that the route names.
func lessonView(r *sdk.Request) (templates.LessonView, error) {
	course, _, err := page.Course(r)
	v := templates.LessonView{CourseView: course, Of: lms.LessonCount(course.Course)}
	if err != nil {
		return v, err
	}
	var found bool
	v.Section, v.Lesson, v.Position, found = lms.FindLesson(course.Course, r.PathValue("id"))
	if !found {
		return v, sdk.ErrNotFound
	}
	if !lms.CanRead(course.Course, v.Lesson, course.Enrolled, page.Viewer(r)) {
		return v, errNotEnrolled
	}
	v.IsDone = course.Done[v.Lesson.ID]
	previous, next := lms.Neighbours(course.Course, v.Lesson.ID)
	if previous != "" {
		v.Previous = page.LessonPath(course.Course.Code, previous)
	}
	if next != "" {
		v.Next = page.LessonPath(course.Course.Code, next)
	}
	return v, nil
}

// complete marks a lesson as done and goes on to the next. Doing it twice
// changes nothing.
func complete(w *sdk.Response, r *sdk.Request) error {
	v, progress, err := page.Course(r)
	if err != nil {
		return err
	}
	c, id := v.Course, r.PathValue("id")
	if !v.Enrolled {
		w.Redirect("/course/" + c.Code + "/view")
		return nil
	}
	after, err := lms.Complete(c, progress, id, r.Now())
	if errors.Is(err, lms.ErrUnknownLesson) {
		return sdk.ErrNotFound
	}
	if err != nil {
		return err
	}
	if err := store.PutProgress(r, r.User().ID, c.Code, after); err != nil {
		return err
	}
	message := "notice.lesson_done"
	if progress.Completed.IsZero() && !after.Completed.IsZero() {
		message = "notice.course_completed"
	}
	target := "/course/" + c.Code + "/take"
	if _, next := lms.Neighbours(c, id); next != "" && message == "notice.lesson_done" {
		target = page.LessonPath(c.Code, next)
	}
	w.Redirect(target)
	return page.Notify(r, "success", message)
}

// panel is the reader's own page: what they learn and what they have finished.
func panel(w *sdk.Response, r *sdk.Request) error {
	p, err := page.New(r, "panel.title")
	if err != nil {
		return err
	}
	courses, err := page.Visible(r)
	if err != nil {
		return err
	}
	cards, err := page.Cards(r, courses)
	if err != nil {
		return err
	}
	var v templates.PanelView
	for _, c := range cards {
		switch {
		case c.Enrolled && c.Percent == 100:
			v.Completed = append(v.Completed, c)
		case c.Enrolled:
			v.Current = append(v.Current, c)
		}
	}
	return w.Page(200, templates.Panel(p, v))
}
