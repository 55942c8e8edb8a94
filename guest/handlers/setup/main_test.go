package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers/page/pagetest"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// empty is a store without anything in it.
func empty(t *testing.T) *sdk.Fake {
	f := pagetest.New(t)
	clear(f.Records)
	f.Accounts, f.Setup = nil, true
	return f
}

// TestSetupWritesTheWholeSite makes every course, text, person and profile.
func TestSetupWritesTheWholeSite(t *testing.T) {
	t.Parallel()
	f := empty(t)
	a := f.Serve("POST", "/setup", nil)
	courses, texts, err := loadCourses()
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != 200 || len(courses) < 4 {
		t.Fatalf("status %d, log %q, %d courses", a.Status, a.Log, len(courses))
	}
	records := len(courses) + len(people)
	for _, c := range courses {
		stored := pagetest.Get[lms.Course](t, f, "course/"+c.Code)
		if stored.Title != c.Title || !stored.Updated.Equal(c.Updated) || !lms.ValidCode(c.Code) {
			t.Errorf("course %s was stored as %q of %v", c.Code, stored.Title, stored.Updated)
		}
		for _, l := range lms.Lessons(stored) {
			records++
			if text := pagetest.Get[lms.LessonText](t, f, "lesson/"+c.Code+"/"+l.ID); text.HTML != texts[c.Code][l.ID].HTML {
				t.Errorf("the text of %s in %s is another", l.ID, c.Code)
			}
		}
	}
	if len(f.Records) != records || len(a.Written) != records {
		t.Errorf("%d records, want %d: %v", len(f.Records), records, slices.Sorted(maps.Keys(f.Records)))
	}
	for i, p := range people {
		if f.Accounts[i].User.Login != p.login || f.Accounts[i].Role != string(p.role) || f.Accounts[i].Password != p.password {
			t.Errorf("account %d is %+v", i, f.Accounts[i])
		}
		if stored := pagetest.Get[lms.Profile](t, f, "profile/"+f.Accounts[i].User.ID); stored.Name != p.name || !stored.Joined.Equal(f.Now) {
			t.Errorf("profile of %s: %+v", p.login, stored)
		}
	}
}

// TestSetupIsAllOrNothing runs it again: the people exist, so it must change
// nothing.
func TestSetupIsAllOrNothing(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.Serve("POST", "/setup", nil)
	clear(f.Records)
	a := f.Serve("POST", "/setup", nil)
	pagetest.Fails(t, a, 500)
	if len(f.Records) != 0 || len(f.Accounts) != len(people) || !strings.Contains(a.Log[0], people[0].login) {
		t.Errorf("%d records, %d accounts, log %q", len(f.Records), len(f.Accounts), a.Log)
	}
}

// TestSetupNeedsAnEmptyStore cannot make accounts at any other time.
func TestSetupNeedsAnEmptyStore(t *testing.T) {
	t.Parallel()
	f := empty(t)
	f.Setup = false
	pagetest.Fails(t, f.Serve("POST", "/setup", nil), 500)
	f.Setup, f.Outcome = true, sdk.OutcomeThrottled
	pagetest.Fails(t, f.Serve("POST", "/setup", nil), 500)
	if len(f.Records) != 0 {
		t.Errorf("%d records were written", len(f.Records))
	}
}
