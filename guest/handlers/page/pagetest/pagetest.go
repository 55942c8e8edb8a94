//go:build !wasip1

// Package pagetest makes the small sites on which the handlers' tests run:
// four courses in every state, and people to visit them.
package pagetest

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// Password is that of every account.
const Password = "correct horse battery"

// New makes a host with the manifest in the working directory, the people
// "student", "other" and "boss" (an administrator) and the courses of Courses.
func New(t testing.TB) *sdk.Fake {
	t.Helper()
	data, err := os.ReadFile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	f := sdk.NewFake()
	if f.Manifest, err = abi.ParseManifest(data); err != nil {
		t.Fatal(err)
	}
	for login, role := range map[string]lms.Role{"student": lms.RoleStudent, "other": lms.RoleStudent, "boss": lms.RoleAdmin} {
		f.Accounts = append(f.Accounts, sdk.FakeAccount{
			User: sdk.User{ID: "id-" + login, Login: login, Email: login + "@example.org"}, Password: Password, Role: string(role),
		})
	}
	for _, c := range Courses() {
		AddCourse(t, f, c)
	}
	return f
}

// Courses are "open" (public, two places, three lessons of which the first is
// a preview), "closed" and "members" (for signed-in people), and "draft".
func Courses() []lms.Course {
	course := func(code string, state lms.State, public bool) lms.Course {
		return lms.Course{
			Code: code, Title: "Course " + code, Summary: "About " + code, State: state, Public: public, Language: "en",
			Category: "Science", Tags: []string{code + "-tag"}, Teachers: []string{"Grace"}, Level: lms.LevelBeginner,
			Sections: []lms.Section{
				{Title: "One", Lessons: []lms.Lesson{
					{ID: "first", Title: "First steps", Kind: "text", Minutes: 3, Required: true, Preview: true},
					{ID: "second", Title: "Second steps", Kind: "text", Minutes: 4, Required: true},
				}},
				{Title: "Two", Lessons: []lms.Lesson{{ID: "extra", Title: "Extra steps", Kind: "text"}}},
			},
		}
	}
	open := course("open", lms.StateOpen, true)
	open.Capacity = 2
	return []lms.Course{open, course("closed", lms.StateClosed, false), course("members", lms.StateOpen, false), course("draft", lms.StateDraft, true)}
}

// AddCourse stores a course with the texts of its lessons.
func AddCourse(t testing.TB, f *sdk.Fake, c lms.Course) {
	t.Helper()
	Put(t, f, "course/"+c.Code, c)
	for _, l := range lms.Lessons(c) {
		Put(t, f, "lesson/"+c.Code+"/"+l.ID, lms.LessonText{HTML: "<p>text of " + l.ID + "</p>"})
	}
}

// Put stores a record as JSON.
func Put(t testing.TB, f *sdk.Fake, key string, v any) {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	f.Records[key] = data
}

// Get reads a record that must be there.
func Get[T any](t testing.TB, f *sdk.Fake, key string) T {
	t.Helper()
	var v T
	if data, ok := f.Records[key]; !ok {
		t.Errorf("there is no record %s", key)
	} else if err := json.Unmarshal(data, &v); err != nil {
		t.Errorf("the record %s: %v", key, err)
	}
	return v
}

// Shows checks that an answer is a page of a status with some texts and
// without others, which begin with "!".
func Shows(t testing.TB, a *sdk.FakeResponse, status int, texts ...string) {
	t.Helper()
	if a.Status != status || a.ErrorPage || a.Body == "" {
		t.Errorf("status %d, error page %t, %d bytes, log %q; want a page of status %d", a.Status, a.ErrorPage, len(a.Body), a.Log, status)
	}
	for _, text := range texts {
		want, absent := strings.CutPrefix(text, "!")
		if strings.Contains(a.Body, want) == absent {
			t.Errorf("the page has %q: %t", want, absent)
		}
	}
}

// Leads checks that an answer redirects to a path.
func Leads(t testing.TB, a *sdk.FakeResponse, path string) {
	t.Helper()
	if a.Status != 303 || a.Header.Get("Location") != path {
		t.Errorf("status %d to %q, log %q; want 303 to %q", a.Status, a.Header.Get("Location"), a.Log, path)
	}
}

// Fails checks that an answer is the error page of a status and that nothing
// was written.
func Fails(t testing.TB, a *sdk.FakeResponse, status int) {
	t.Helper()
	if a.Status != status || !a.ErrorPage || len(a.Written) > 0 {
		t.Errorf("status %d, error page %t, written %v; want the error page %d", a.Status, a.ErrorPage, a.Written, status)
	}
}

// Hostile is a name that breaks out of HTML wherever it is not escaped.
const Hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`

// Escaped checks that a page shows Hostile and that it broke out nowhere.
func Escaped(t testing.TB, a *sdk.FakeResponse) {
	t.Helper()
	if strings.Contains(a.Body, "<script>alert") || strings.Contains(a.Body, "<img src=x") {
		t.Errorf("a hostile name was not escaped on the page")
	}
	if !strings.Contains(a.Body, "&lt;script&gt;alert(1)") {
		t.Errorf("the hostile name is not on the page at all: status %d, log %q", a.Status, a.Log)
	}
}
