package store

import (
	"encoding/json"
	"time"

	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

func init() { sdk.WarmUp(warmUp) }

// warmUp writes and reads a record of each kind, since encoding/json works out
// how to handle a type when it first meets it, and that takes longer than to
// read a course.
func warmUp() {
	now := time.Unix(0, 0).UTC()
	again(lms.Course{Tags: []string{""}, Teachers: []string{""}, Sections: []lms.Section{{Lessons: []lms.Lesson{{}}}}, Updated: now})
	again(lms.LessonText{})
	again(lms.Enrolment{At: now})
	again(lms.Progress{Done: map[string]time.Time{"": now}, Completed: now})
	again(lms.Profile{Joined: now})
	again(0)
}

// again encodes a value and decodes it. A failure would show in the first
// request that meets the type, so none is looked for here.
func again[T any](v T) {
	if data, err := json.Marshal(v); err == nil {
		_ = json.Unmarshal(data, &v)
	}
}
