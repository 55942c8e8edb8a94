package page

import (
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
	"github.com/lectern-lms/lectern/templates"
)

// Visible gives the courses that the reader may see.
func Visible(r *sdk.Request) ([]lms.Course, error) {
	all, err := store.Courses(r)
	viewer, visible := Viewer(r), all[:0]
	for _, c := range all {
		if lms.CanSee(c, viewer) {
			visible = append(visible, c)
		}
	}
	return visible, err
}

// Cards adds the reader's enrolments and progress to courses.
func Cards(r *sdk.Request, courses []lms.Course) ([]templates.Card, error) {
	user := r.User().ID
	enrolments, err := store.Enrolments(r, user)
	if err != nil {
		return nil, err
	}
	progress, err := store.AllProgress(r, user)
	if err != nil {
		return nil, err
	}
	cards := make([]templates.Card, len(courses))
	for i, c := range courses {
		_, enrolled := enrolments[c.Code]
		cards[i] = templates.Card{Course: c, Enrolled: enrolled}
		if enrolled {
			cards[i].Percent = lms.Percent(c, progress[c.Code])
			cards[i].Resume = Resume(c, progress[c.Code])
		}
	}
	return cards, nil
}

// Resume is the path of the lesson to go on with, "" if the course has none.
func Resume(c lms.Course, p lms.Progress) string {
	lesson, ok := lms.NextLesson(c, p)
	if !ok {
		return ""
	}
	return LessonPath(c.Code, lesson.ID)
}

// LessonPath is where a lesson is read.
func LessonPath(code, lesson string) string { return "/course/" + code + "/resource/text/" + lesson }

// Course reads the course that the route names and what the reader has done
// in it. A course that the reader may not see does not exist for them.
func Course(r *sdk.Request) (templates.CourseView, lms.Progress, error) {
	var v templates.CourseView
	c, found, err := store.Course(r, r.PathValue("code"))
	if err != nil {
		return v, lms.Progress{}, err
	}
	if !found || !lms.CanSee(c, Viewer(r)) {
		return v, lms.Progress{}, sdk.ErrNotFound
	}
	user := r.User().ID
	v = templates.CourseView{Course: c, Done: map[string]bool{}, SeatsLeft: -1}
	if v.Enrolled, err = store.Enrolled(r, user, c.Code); err != nil {
		return v, lms.Progress{}, err
	}
	progress, err := store.Progress(r, user, c.Code)
	if err != nil {
		return v, progress, err
	}
	for id := range progress.Done {
		v.Done[id] = true
	}
	v.Percent, v.Resume, v.Completed = lms.Percent(c, progress), Resume(c, progress), progress.Completed
	return v, progress, nil
}

// CountSeats fills in how many places of a course are left.
func CountSeats(r *sdk.Request, v *templates.CourseView) error {
	if v.Course.Capacity == 0 {
		return nil
	}
	taken, err := store.Taken(r, v.Course.Code)
	v.SeatsLeft = max(0, v.Course.Capacity-taken)
	return err
}
