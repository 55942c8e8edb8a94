package templates

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/a-h/templ"

	"github.com/lectern-lms/lectern/guest/lms"
)

// courseURL is the address of a page of a course; tail is "/view", "/take" or
// "/enroll".
func courseURL(code, tail string) templ.SafeURL {
	return templ.SafeURL("/course/" + url.PathEscape(code) + tail)
}

// lessonURL is the address of a lesson; tail is "" or "/complete".
func lessonURL(code, id, tail string) templ.SafeURL {
	return templ.SafeURL("/course/" + url.PathEscape(code) + "/resource/text/" + url.PathEscape(id) + tail)
}

// localURL lets only paths of this site through, so that a path from elsewhere
// can never become a link to another site or a script; others lead home.
func localURL(path string) templ.SafeURL {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsAny(path, "\\\t\r\n") {
		return "/home"
	}
	return templ.SafeURL(path)
}

// withNext is the address of a page that goes on to next when it is done.
func withNext(path, next string) templ.SafeURL {
	if next == "" || next == "/" {
		return templ.SafeURL(path)
	}
	return templ.SafeURL(path + "?next=" + url.QueryEscape(next))
}

// courseNext is where signing in from a course's page leads back to.
func courseNext(c lms.Course) string { return string(courseURL(c.Code, "/view")) }

// accountNext is where signing in from a page leads: back to it, unless it is
// itself about signing in.
func accountNext(p Page) string {
	if strings.HasPrefix(p.Path, "/user/") || p.Path == "/home" {
		return ""
	}
	return p.Path
}

// exploreURL is the address of a search: v's own with the page number given.
// Empty fields are left out, so that equal searches have equal addresses.
func exploreURL(v ExploreView, page int) templ.SafeURL {
	b := make([]byte, 0, 96)
	b = append(b, "/course/explore"...)
	mark := byte('?')
	add := func(name, value string) {
		if value == "" {
			return
		}
		b = append(b, mark)
		b = append(b, name...)
		b = append(b, '=')
		b = append(b, url.QueryEscape(value)...)
		mark = '&'
	}
	add("q", v.Query)
	add("level", v.Level)
	add("category", v.Category)
	add("tag", v.Tag)
	if page > 1 {
		add("page", strconv.Itoa(page))
	}
	return templ.SafeURL(b)
}

// tagURL is the address of all courses with a tag.
func tagURL(tag string) templ.SafeURL { return exploreURL(ExploreView{Tag: tag}, 1) }

// current is the value of aria-current for a link of the menu: "page" on the
// page itself, "true" on pages below it, "" elsewhere.
func current(p Page, path string) string {
	own, _, _ := strings.Cut(p.Path, "?")
	switch {
	case own == path:
		return "page"
	case strings.HasPrefix(own, path+"/"):
		return "true"
	}
	return ""
}
