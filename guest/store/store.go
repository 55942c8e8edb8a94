// Package store keeps the things of package lms as records. Each function is
// one read or one buffered write of the request's transaction; a record that
// cannot be decoded is an error, never an empty value.
//
// The keys, so that common changes touch one record:
//
//	course/<code>               a course with its outline
//	lesson/<code>/<id>          the text of a lesson
//	seats/<code>                how many places of a course are taken
//	enrolment/<user>/<code>     that a person is in a course
//	progress/<user>/<code>      how far
//	profile/<user>              what a person says about themselves
package store

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// get reads and decodes one record.
func get[T any](r *sdk.Request, key string) (v T, found bool, err error) {
	data, found, err := r.Get(key)
	if err != nil || !found {
		return v, false, err
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return v, false, fmt.Errorf("store: the record %s is damaged: %w", key, err)
	}
	return v, true, nil
}

// put encodes and writes one record.
func put(r *sdk.Request, key string, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("store: the record %s cannot be written: %w", key, err)
	}
	return r.Put(key, data)
}

// scan decodes every record under a prefix, by the rest of its key.
func scan[T any](r *sdk.Request, prefix string) (map[string]T, []string, error) {
	records, err := r.Scan(prefix, "", 0)
	if err != nil {
		return nil, nil, err
	}
	values, order := make(map[string]T, len(records)), make([]string, 0, len(records))
	for _, rec := range records {
		var v T
		if err := json.Unmarshal(rec.Value, &v); err != nil {
			return nil, nil, fmt.Errorf("store: the record %s is damaged: %w", rec.Key, err)
		}
		name := rec.Key[len(prefix):]
		values[name], order = v, append(order, name)
	}
	return values, order, nil
}

// Courses gives every course, by code.
func Courses(r *sdk.Request) ([]lms.Course, error) {
	byCode, order, err := scan[lms.Course](r, "course/")
	courses := make([]lms.Course, len(order))
	for i, code := range order {
		courses[i] = byCode[code]
	}
	return courses, err
}

// Course gives one course. A code that could not be one is simply not found.
func Course(r *sdk.Request, code string) (lms.Course, bool, error) {
	if !lms.ValidCode(code) {
		return lms.Course{}, false, nil
	}
	return get[lms.Course](r, "course/"+code)
}

// PutCourse writes a course.
func PutCourse(r *sdk.Request, c lms.Course) error { return put(r, "course/"+c.Code, c) }

// LessonText gives the text of a lesson.
func LessonText(r *sdk.Request, code, lesson string) (lms.LessonText, bool, error) {
	return get[lms.LessonText](r, "lesson/"+code+"/"+lesson)
}

// PutLessonText writes the text of a lesson.
func PutLessonText(r *sdk.Request, code, lesson string, t lms.LessonText) error {
	return put(r, "lesson/"+code+"/"+lesson, t)
}

// Taken is how many places of a course are taken.
func Taken(r *sdk.Request, code string) (int, error) {
	n, _, err := get[int](r, "seats/"+code)
	return n, err
}

// Enrolled reports whether a person is in a course.
func Enrolled(r *sdk.Request, user, code string) (bool, error) {
	if user == "" {
		return false, nil
	}
	_, found, err := get[lms.Enrolment](r, "enrolment/"+user+"/"+code)
	return found, err
}

// Enrolments gives the courses that a person is in, by code.
func Enrolments(r *sdk.Request, user string) (map[string]lms.Enrolment, error) {
	if user == "" {
		return nil, nil
	}
	byCode, _, err := scan[lms.Enrolment](r, "enrolment/"+user+"/")
	return byCode, err
}

// Enrol writes an enrolment and takes its place. taken is what Taken has
// given in this request, so that two people cannot take the same place.
func Enrol(r *sdk.Request, user string, e lms.Enrolment, taken int) error {
	if err := put(r, "enrolment/"+user+"/"+e.Course, e); err != nil {
		return err
	}
	return r.Put("seats/"+e.Course, strconv.AppendInt(nil, int64(taken)+1, 10))
}

// Progress gives how far a person is in a course; zero if not begun.
func Progress(r *sdk.Request, user, code string) (lms.Progress, error) {
	if user == "" {
		return lms.Progress{}, nil
	}
	p, _, err := get[lms.Progress](r, "progress/"+user+"/"+code)
	return p, err
}

// AllProgress gives how far a person is in each course begun, by code.
func AllProgress(r *sdk.Request, user string) (map[string]lms.Progress, error) {
	if user == "" {
		return nil, nil
	}
	byCode, _, err := scan[lms.Progress](r, "progress/"+user+"/")
	return byCode, err
}

// PutProgress writes how far a person is in a course.
func PutProgress(r *sdk.Request, user, code string, p lms.Progress) error {
	return put(r, "progress/"+user+"/"+code, p)
}

// Profile gives a person's profile; empty if there is none.
func Profile(r *sdk.Request, user string) (lms.Profile, error) {
	p, _, err := get[lms.Profile](r, "profile/"+user)
	return p, err
}

// PutProfile writes a person's profile.
func PutProfile(r *sdk.Request, user string, p lms.Profile) error {
	return put(r, "profile/"+user, p)
}
