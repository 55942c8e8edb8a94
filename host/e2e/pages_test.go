//go:build unix

package e2e

import (
	"net/url"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// shownPage is one page to look at.
type shownPage struct {
	name, path string
	status     int
	// member says that it is shown to somebody who has signed in.
	member bool
}

// shownPages are all kinds of pages, in the states that look different.
var shownPages = []shownPage{
	{"home", "/home", 200, false},
	{"explore", "/course/explore", 200, false},
	{"explore-found", "/course/explore?q=night", 200, false},
	{"explore-none", "/course/explore?q=" + url.QueryEscape("Donaudampfschifffahrtsgesellschaftskapitän"), 200, false},
	{"course", "/course/now/view", 200, false},
	{"course-datos", "/course/datos/view", 200, false},
	{"preview", "/course/night-sky/resource/text/dark-eyes", 200, false},
	{"sign-in", "/user/login", 200, false},
	{"sign-up", "/user/logon", 200, false},
	{"error", "/no/such/page", 404, false},
	{"home-member", "/home", 200, true},
	{"panel", "/home/panel", 200, true},
	{"take", "/course/night-sky/take", 200, true},
	{"course-enrolled", "/course/night-sky/view", 200, true},
	{"lesson", "/course/night-sky/resource/text/hands-as-rulers", 200, true},
	{"profile", "/perfil", 200, true},
	{"devices", "/user/devices", 200, true},
	{"password", "/user/password", 200, true},
	{"error-member", "/no/such/page", 404, true},
}

// prepareMember signs the tab in and lets the person have begun a course, so
// that the pages have something to show.
func (b *tab) prepareMember() {
	b.t.Helper()
	p := newMember(b.t, b.site, student, studentPassword)
	for _, course := range []string{"night-sky", "edge"} {
		enrol(b.t, p, course)
	}
	paths, _ := lessons(b.t, p, "night-sky")
	for _, path := range paths[:4] {
		p.post(b.t, path+"/complete", nil)
	}
	b.open("/user/login")
	b.enter("usuario", student)
	b.enter("acceso", studentPassword)
	b.leave(chromedp.KeyEvent(kb.Enter))
	b.isAt("/home/panel")
}

// eachPage opens every page, the visitor's first.
func (b *tab) eachPage(look func(p shownPage)) {
	b.t.Helper()
	member := false
	for _, p := range shownPages {
		if p.member && !member {
			member = true
			b.prepareMember()
		}
		if status := b.open(p.path); status != p.status {
			b.t.Errorf("%s: status %d, expected %d", p.path, status, p.status)
		}
		look(p)
	}
}

// wide gives what is wider than the page, for the message of a test.
const wide = `Array.from(document.querySelectorAll("body *")).filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
	.slice(0, 5).map(e => e.tagName.toLowerCase() + "." + e.className + " " + Math.round(e.getBoundingClientRect().right))`

// TestPagesFitAndAreQuiet opens every page and looks at it in several widths:
// none can be scrolled sideways, and the console stays empty, so no script
// failed and nothing was refused by the content security policy.
func TestPagesFitAndAreQuiet(t *testing.T) {
	t.Parallel()
	b := openTab(t, startSite(t))
	b.eachPage(func(p shownPage) {
		for _, width := range []int64{1280, 390, 320} {
			b.fits(p, width)
		}
		for _, m := range b.messages() {
			if p.status == 200 {
				t.Errorf("%s: the console has %s", p.name, m)
			}
		}
	})
	b.messages()
	// What the test looks for can be seen: here is some of each.
	eval[bool](b, `document.body.append(Object.assign(document.createElement("script"), {textContent: "1"})), true`)
	eventually(t, "the browser's word on a script that the policy refuses", func() bool { return len(b.messages()) > 0 })
	if eval[int64](b, `document.body.style.width = "3000px", document.scrollingElement.scrollWidth`) < 3000 {
		t.Error("a page that is too wide does not show in its scroll width")
	}
}

// fits fails the test if the page on show is wider than its window.
func (b *tab) fits(p shownPage, width int64) {
	b.t.Helper()
	b.resize(width, 800)
	if got := eval[int64](b, `document.scrollingElement.scrollWidth`); got > width {
		b.t.Errorf("%s at %d px is %d px wide: %v", p.name, width, got, eval[[]string](b, wide))
	}
}

// TestPagesFitInOtherLanguages looks at every page in the other languages of
// the interface, whose words are longer, on the narrowest screen.
func TestPagesFitInOtherLanguages(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"es", "pt-BR"} {
		t.Run(lang, func(t *testing.T) {
			b := openTab(t, startSite(t))
			b.language(lang)
			b.eachPage(func(p shownPage) {
				if got := eval[string](b, `document.documentElement.lang`); got != lang {
					t.Errorf("%s is in %q", p.name, got)
				}
				b.fits(p, 320)
			})
		})
	}
}
