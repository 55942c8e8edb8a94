package store_test

import (
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
)

// steps are what the routes of this test run; each test has its own.
var steps = map[string]func(*sdk.Request) error{
	"/write": write, "/read": read, "/nobody": nobody, "/absent": absent,
}

// init registers a route for each.
func init() {
	for path, step := range steps {
		sdk.Handle("POST "+path, func(_ *sdk.Response, r *sdk.Request) error { return step(r) })
	}
	for name, get := range getters {
		sdk.Handle("GET /damaged/"+name, func(_ *sdk.Response, r *sdk.Request) error { return get(r) })
	}
}

// noon is a time without parts that JSON would lose.
var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// The things that write stores and read expects.
var (
	course   = lms.Course{Code: "go", Title: "Go", State: lms.StateOpen, Sections: []lms.Section{{Title: "S", Lessons: []lms.Lesson{{ID: "a"}}}}, Updated: noon}
	progress = lms.Progress{Done: map[string]time.Time{"a": noon}, Last: "a", Completed: noon}
	profile  = lms.Profile{Name: "Ada", Bio: "b", Language: "es", Joined: noon}
)

// write stores one of everything.
func write(r *sdk.Request) error {
	taken, err := store.Taken(r, "go")
	return errors.Join(err,
		store.PutCourse(r, course), store.PutCourse(r, lms.Course{Code: "art"}), store.PutLessonText(r, "go", "a", lms.LessonText{HTML: "<p>"}),
		store.Enrol(r, "u1", lms.Enrolment{Course: "go", At: noon}, taken),
		store.PutProgress(r, "u1", "go", progress), store.PutProfile(r, "u1", profile))
}

// same reports a difference between what was stored and what is read.
func same[T any](got, want T) error {
	if !reflect.DeepEqual(got, want) {
		return errors.New("something was read that was not written")
	}
	return nil
}

// read expects what write stored, in a request of its own.
func read(r *sdk.Request) error {
	c, found, err1 := store.Course(r, "go")
	all, err2 := store.Courses(r)
	text, found2, err3 := store.LessonText(r, "go", "a")
	taken, err4 := store.Taken(r, "go")
	in, err5 := store.Enrolled(r, "u1", "go")
	enrolments, err6 := store.Enrolments(r, "u1")
	p, err7 := store.Progress(r, "u1", "go")
	ps, err8 := store.AllProgress(r, "u1")
	who, err9 := store.Profile(r, "u1")
	return errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9,
		same(c, course), same(found && found2 && in, true), same(len(all), 2), same(all[0].Code, "art"), same(text.HTML, "<p>"),
		same(taken, 1), same(enrolments, map[string]lms.Enrolment{"go": {Course: "go", At: noon}}), same(p, progress),
		same(ps, map[string]lms.Progress{"go": progress}), same(who, profile))
}

// nobody reads as a visitor, who has nothing: no record may be asked for.
func nobody(r *sdk.Request) error {
	in, err1 := store.Enrolled(r, "", "go")
	enrolments, err2 := store.Enrolments(r, "")
	p, err3 := store.Progress(r, "", "go")
	ps, err4 := store.AllProgress(r, "")
	return errors.Join(err1, err2, err3, err4, same(in, false), same(len(enrolments), 0), same(len(p.Done), 0), same(len(ps), 0))
}

// absent reads what is not there.
func absent(r *sdk.Request) error {
	var faults []error
	for _, code := range []string{"none", "", "../go", "go/x", "GO", strings.Repeat("g", 2000)} {
		_, found, err := store.Course(r, code)
		faults = append(faults, err, same(found, false))
	}
	_, found, err1 := store.LessonText(r, "go", "none")
	taken, err2 := store.Taken(r, "none")
	in, err3 := store.Enrolled(r, "u2", "go")
	who, err4 := store.Profile(r, "u2")
	all, err5 := store.Courses(r)
	return errors.Join(append(faults, err1, err2, err3, err4, err5, same(found, false), same(taken, 0), same(in, false), same(who, lms.Profile{}), same(len(all), 0))...)
}

// serve runs steps on one store and stops at the first that fails.
func serve(t *testing.T, f *sdk.Fake, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if a := f.Serve("POST", path, nil); a.Status != 200 {
			t.Errorf("%s: status %d: %q", path, a.Status, a.Log)
		}
	}
}

// TestEverythingIsReadBack writes in one request and reads in another.
func TestEverythingIsReadBack(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	serve(t, f, "/write", "/read")
	want := []string{"course/go", "course/art", "lesson/go/a", "enrolment/u1/go", "seats/go", "progress/u1/go", "profile/u1"}
	for _, key := range want {
		if _, ok := f.Records[key]; !ok {
			t.Errorf("there is no record %s, as the documentation says", key)
		}
	}
	if len(f.Records) != len(want) {
		t.Errorf("records %v", maps.Keys(f.Records))
	}
}

// TestNothingIsThere reads an empty store and as nobody.
func TestNothingIsThere(t *testing.T) {
	t.Parallel()
	f := sdk.NewFake()
	serve(t, f, "/absent")
	f.Down = true
	serve(t, f, "/nobody")
}

// getters read each kind of record.
var getters = map[string]func(*sdk.Request) error{
	"course":     func(r *sdk.Request) error { _, _, err := store.Course(r, "go"); return err },
	"courses":    func(r *sdk.Request) error { _, err := store.Courses(r); return err },
	"text":       func(r *sdk.Request) error { _, _, err := store.LessonText(r, "go", "a"); return err },
	"taken":      func(r *sdk.Request) error { _, err := store.Taken(r, "go"); return err },
	"enrolled":   func(r *sdk.Request) error { _, err := store.Enrolled(r, "u1", "go"); return err },
	"enrolments": func(r *sdk.Request) error { _, err := store.Enrolments(r, "u1"); return err },
	"progress":   func(r *sdk.Request) error { _, err := store.Progress(r, "u1", "go"); return err },
	"all":        func(r *sdk.Request) error { _, err := store.AllProgress(r, "u1"); return err },
	"profile":    func(r *sdk.Request) error { _, err := store.Profile(r, "u1"); return err },
}

// TestDamagedRecordsAreErrors reads records that are no JSON of their kind:
// an error that names the record, never an empty value.
func TestDamagedRecordsAreErrors(t *testing.T) {
	t.Parallel()
	for name := range getters {
		f := sdk.NewFake()
		serve(t, f, "/write")
		for key := range f.Records {
			f.Records[key] = []byte(`{"code`)
		}
		a := f.Serve("GET", "/damaged/"+name, nil)
		if a.Status != 500 || len(a.Log) != 1 || !strings.Contains(a.Log[0], "damaged") {
			t.Errorf("%s: status %d, log %q", name, a.Status, a.Log)
		}
		f.Down = true
		if a := f.Serve("GET", "/damaged/"+name, nil); a.Status != 503 {
			t.Errorf("%s: status %d while the store is down", name, a.Status)
		}
	}
}
