// Command catalog is the handler of what everybody may see: the front page,
// the catalogue of courses with its search, a course's page, and the site's
// error pages.
package main

import (
	"strconv"

	"github.com/lectern-lms/lectern/guest/handlers/page"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/templates"
)

const (
	// featured is how many courses the front page shows.
	featured = 4
	// pageSize is how many courses a page of the catalogue shows, as in NOW LMS.
	pageSize = 30
)

// init registers the routes of the manifest.
func init() {
	sdk.Handle("GET /{$}", home)
	sdk.Handle("GET /home", home)
	sdk.Handle("GET /course/explore", explore)
	sdk.Handle("GET /course/{code}/view", course)
	sdk.HandleErrors(failure)
}

// main is never run: the host calls the functions that init registers.
func main() {}

// home is the front page: some courses and how many there are.
func home(w *sdk.Response, r *sdk.Request) error {
	p, err := page.New(r, "home.title")
	if err != nil {
		return err
	}
	courses, err := page.Visible(r)
	if err != nil {
		return err
	}
	v := templates.HomeView{Courses: len(courses)}
	for _, c := range courses {
		v.Lessons += lms.LessonCount(c)
	}
	if v.Featured, err = page.Cards(r, courses[:min(featured, len(courses))]); err != nil {
		return err
	}
	return w.Page(200, templates.Home(p, v))
}

// explore is the catalogue: every course that fits the search, in pages.
func explore(w *sdk.Response, r *sdk.Request) error {
	p, err := page.New(r, "explore.title")
	if err != nil {
		return err
	}
	courses, err := page.Visible(r)
	if err != nil {
		return err
	}
	v := templates.ExploreView{
		Query: r.Query("q"), Level: r.Query("level"), Category: r.Query("category"), Tag: r.Query("tag"),
		Categories: lms.Categories(courses), Tags: lms.Tags(courses),
	}
	found := lms.Search(courses, lms.Query{Text: v.Query, Level: v.Level, Category: v.Category, Tag: v.Tag})
	number, err := strconv.Atoi(r.Query("page"))
	if err != nil {
		number = 1
	}
	v.Total = len(found)
	found, v.Page, v.Pages = lms.Paginate(found, number, pageSize)
	if v.Cards, err = page.Cards(r, found); err != nil {
		return err
	}
	return w.Page(200, templates.Explore(p, v))
}

// course is the page of a course.
func course(w *sdk.Response, r *sdk.Request) error {
	v, _, err := page.Course(r)
	if err != nil {
		return err
	}
	if err := page.CountSeats(r, &v); err != nil {
		return err
	}
	p, err := page.New(r, v.Course.Title)
	if err != nil {
		return err
	}
	p.Description = v.Course.Summary
	return w.Page(200, templates.Course(p, v))
}

// failure is the page of an error that the host or another handler met.
func failure(w *sdk.Response, r *sdk.Request) error {
	status := r.ErrorStatus()
	p, err := page.New(r, "error."+strconv.Itoa(status))
	if err != nil {
		return err
	}
	return w.Page(status, templates.Error(p, templates.ErrorView{Status: status, RequestID: r.ID()}))
}
