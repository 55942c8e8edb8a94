package main

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers/page/pagetest"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// TestHome shows everybody the courses that they may see.
func TestHome(t *testing.T) {
	t.Parallel()
	tests := []struct {
		login string
		texts []string
	}{
		{"", []string{"Course open", "!Course closed", "!Course members", "!Course draft", "/user/login"}},
		{"student", []string{"Course open", "Course closed", "Course members", "!Course draft"}},
		{"boss", []string{"Course open", "Course closed", "Course members", "Course draft"}},
	}
	for _, tt := range tests {
		f := pagetest.New(t)
		if tt.login != "" {
			f.SignIn(tt.login)
		}
		for _, path := range []string{"/", "/home"} {
			pagetest.Shows(t, f.Serve("GET", path, nil), 200, tt.texts...)
		}
	}
}

// TestHomeOfAnEmptySite shows a page before there is any course.
func TestHomeOfAnEmptySite(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	clear(f.Records)
	pagetest.Shows(t, f.Serve("GET", "/home", nil), 200)
	pagetest.Shows(t, f.Serve("GET", "/course/explore", nil), 200)
}

// TestHomeFeaturesAFew shows four courses of many and counts all.
func TestHomeFeaturesAFew(t *testing.T) {
	t.Parallel()
	f := many(t, 65)
	pagetest.Shows(t, f.Serve("GET", "/home", nil), 200, "Title 000", "Title 003", "!Title 004", "65", "195")
}

// many is a site of n public courses.
func many(t *testing.T, n int) *sdk.Fake {
	f := pagetest.New(t)
	clear(f.Records)
	for i := range n {
		c := pagetest.Courses()[0]
		c.Code, c.Title = fmt.Sprintf("c%03d", i), fmt.Sprintf("Title %03d", i)
		pagetest.AddCourse(t, f, c)
	}
	return f
}

// TestExplorePages cuts a long catalogue into pages; a page that is none is
// the nearest one.
func TestExplorePages(t *testing.T) {
	t.Parallel()
	f := many(t, 65)
	tests := []struct{ query, first, last, missing string }{
		{"", "Title 000", "Title 029", "Title 030"},
		{"?page=2", "Title 030", "Title 059", "Title 029"},
		{"?page=3", "Title 060", "Title 064", "Title 059"},
		{"?page=99", "Title 060", "Title 064", "Title 059"},
		{"?page=0", "Title 000", "Title 029", "Title 030"},
		{"?page=-1", "Title 000", "Title 029", "Title 030"},
		{"?page=two", "Title 000", "Title 029", "Title 030"},
		{"?page=99999999999999999999", "Title 000", "Title 029", "Title 030"},
	}
	for _, tt := range tests {
		pagetest.Shows(t, f.Serve("GET", "/course/explore"+tt.query, nil), 200, tt.first, tt.last, "!"+tt.missing)
	}
}

// TestExploreSearches filters by words, level, category and tag.
func TestExploreSearches(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t).SignIn("student")
	tests := []struct {
		query string
		texts []string
	}{
		{"q=open", []string{"Course open", "!Course closed"}},
		{"q=GRACE", []string{"Course open", "Course closed"}},
		{"q=draft", []string{"!Course draft", "/course/explore"}},
		{"q=nothing+at+all", []string{"!Course open"}},
		{"tag=closed-tag", []string{"Course closed", "!Course open"}},
		{"category=Science&level=1", []string{"Course open", "Course closed"}},
		{"category=Art", []string{"!Course open"}},
		{"level=3", []string{"!Course open"}},
		{"level=one", []string{"!Course open"}},
		{"q=%zz", []string{"Course open"}},
	}
	for _, tt := range tests {
		pagetest.Shows(t, f.Serve("GET", "/course/explore?"+tt.query, nil), 200, tt.texts...)
	}
}

// TestCourse asks for the page of courses that are there, hidden and absent.
func TestCourse(t *testing.T) {
	t.Parallel()
	tests := []struct {
		login, code string
		status      int
	}{
		{"", "open", 200}, {"", "members", 404}, {"", "closed", 404}, {"", "draft", 404},
		{"student", "members", 200}, {"student", "closed", 200}, {"student", "draft", 404}, {"boss", "draft", 200},
		{"", "none", 404}, {"boss", "none", 404}, {"", "OPEN", 404}, {"", "..%2Fopen", 404}, {"", "open%2F..", 404}, {"", "a%00", 404},
		{"boss", strings.Repeat("a", 2000), 404},
	}
	for _, tt := range tests {
		f := pagetest.New(t)
		if tt.login != "" {
			f.SignIn(tt.login)
		}
		a := f.Serve("GET", "/course/"+tt.code+"/view", nil)
		if tt.status == 404 {
			pagetest.Fails(t, a, 404)
		} else {
			pagetest.Shows(t, a, 200, "Course "+tt.code, "First steps", "Extra steps")
		}
	}
}

// TestCourseOffersTheRightWayIn follows who reads and how full it is.
func TestCourseOffersTheRightWayIn(t *testing.T) {
	t.Parallel()
	const enrol, signIn, resume = `action="/course/open/enroll"`, "/user/login?next=%2Fcourse%2Fopen%2Fview", "/course/open/resource/text/second"
	f := pagetest.New(t)
	pagetest.Shows(t, f.Serve("GET", "/course/open/view", nil), 200, signIn, "!"+enrol, "2 ")
	f.SignIn("student")
	pagetest.Shows(t, f.Serve("GET", "/course/open/view", nil), 200, enrol)
	pagetest.Put(t, f, "seats/open", 2)
	pagetest.Shows(t, f.Serve("GET", "/course/open/view", nil), 200, "!"+enrol)
	pagetest.Put(t, f, "enrolment/id-student/open", lms.Enrolment{Course: "open"})
	pagetest.Put(t, f, "progress/id-student/open", map[string]any{"done": map[string]string{"first": "2026-01-01T00:00:00Z"}, "last": "first"})
	pagetest.Shows(t, f.Serve("GET", "/course/open/view", nil), 200, "!"+enrol, resume, "50")
	pagetest.Shows(t, f.Serve("GET", "/home", nil), 200, resume)
}

// TestDamagedRecordIsNoPage shows nothing rather than half a truth.
func TestDamagedRecordIsNoPage(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	f.Records["course/open"] = []byte(`{"code":`)
	for _, path := range []string{"/home", "/course/explore", "/course/open/view"} {
		a := f.Serve("GET", path, nil)
		pagetest.Fails(t, a, 500)
		if len(a.Log) != 1 || !strings.Contains(a.Log[0], "course/open is damaged") {
			t.Errorf("%s: the log does not name the record: %q", path, a.Log)
		}
	}
}

// TestStoreDown answers 503 on every page.
func TestStoreDown(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	f.Down = true
	for _, path := range []string{"/", "/course/explore", "/course/open/view"} {
		pagetest.Fails(t, f.Serve("GET", path, nil), 503)
	}
}

// TestErrorPages have their status, the request's id and the way to sign in.
func TestErrorPages(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 403, 404, 405, 410, 415, 418} {
		f := pagetest.New(t)
		pagetest.Shows(t, f.ServeError(status), status, sdk.FakeRequestID, "!error.")
	}
	f := pagetest.New(t)
	f.AcceptLanguage = "es"
	pagetest.Shows(t, f.ServeError(404), 404, `lang="es"`)
}

// TestLanguages follow the reader's choice before the browser's.
func TestLanguages(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	for _, tt := range []struct{ accept, chosen, want string }{
		{"", "", "en"}, {"es-AR", "", "es"}, {"pt", "", "pt-BR"}, {"es", "pt-BR", "pt-BR"}, {"es", "tlh", "es"},
	} {
		f.AcceptLanguage, f.Session = tt.accept, map[string]string{"lang": tt.chosen}
		pagetest.Shows(t, f.Serve("GET", "/home", nil), 200, `<html lang="`+tt.want+`"`)
	}
}

// TestHostileTextIsEscaped puts scripts wherever people may write.
func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t).SignIn("student")
	c := pagetest.Courses()[0]
	c.Title, c.Summary, c.Category = pagetest.Hostile, pagetest.Hostile, pagetest.Hostile
	c.Tags, c.Teachers = []string{pagetest.Hostile}, []string{pagetest.Hostile}
	c.Sections[0].Title, c.Sections[0].Lessons[0].Title = pagetest.Hostile, pagetest.Hostile
	pagetest.AddCourse(t, f, c)
	pagetest.Put(t, f, "profile/id-student", lms.Profile{Name: pagetest.Hostile})
	f.Settings["site.name"] = pagetest.Hostile
	for _, path := range []string{"/home", "/course/explore", "/course/open/view"} {
		pagetest.Escaped(t, f.Serve("GET", path, nil))
	}
	search := url.Values{"q": {pagetest.Hostile}, "tag": {pagetest.Hostile}, "category": {pagetest.Hostile}, "level": {pagetest.Hostile}}
	pagetest.Escaped(t, f.Serve("GET", "/course/explore?"+search.Encode(), nil))
	f.Notices = []string{"info\t" + pagetest.Hostile, pagetest.Hostile, "info"}
	pagetest.Escaped(t, f.Serve("GET", "/home", nil))
	f.User.ID = "id-other"
	f.User.Login = pagetest.Hostile
	pagetest.Escaped(t, f.ServeError(404))
}

// TestNoticesAreShownOnce reads a page twice.
func TestNoticesAreShownOnce(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	f.Notices = []string{"success\tnotice.welcome"}
	pagetest.Shows(t, f.Serve("GET", "/home", nil), 200, "Your account is ready")
	pagetest.Shows(t, f.Serve("GET", "/home", nil), 200, "!Your account is ready")
}
