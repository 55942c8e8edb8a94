//go:build unix

package e2e

import (
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// containsFold reports whether text holds part, in any case: a stylesheet may
// show it in capitals.
func containsFold(text, part string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(part))
}

// click clicks something that leads to another page.
func (b *tab) click(selector string) {
	b.t.Helper()
	if status := b.leave(chromedp.Click(chromedp.CSS(selector))); status >= 400 {
		b.t.Fatalf("a click on %s led to status %d", selector, status)
	}
}

// enter types into a field in place of what it holds, or chooses from a list
// by typing.
func (b *tab) enter(field, text string) {
	b.t.Helper()
	b.do(chromedp.Focus(chromedp.CSS(`[name="`+field+`"]`)), selectAll, chromedp.KeyEvent(text))
}

// selectAll marks what the field in focus holds.
var selectAll = chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl))

// TestWithoutScripts goes the whole way of a learner in a browser that runs no
// script, by mouse.
func TestWithoutScripts(t *testing.T) {
	t.Parallel()
	b := openTab(t, startSite(t))
	b.withoutScripts()
	b.open("/home")
	if eval[bool](b, `document.scripts.length === 0`) {
		t.Fatal("the page has no script, so this test would show nothing")
	}
	b.click(`nav a[href="/course/explore"]`)
	b.enter("q", "night")
	b.click(`form[role="search"] button[type="submit"]`)
	b.shows("1 course found")
	b.click(`.card a[href="/course/night-sky/view"]`)
	b.click(`.enrol-box a[href^="/user/logon"]`)
	b.enter("usuario", "nora")
	b.enter("nombre", "Nora Lind")
	b.enter("correo_electronico", "nora@example.org")
	b.enter("acceso", "three-unrelated-words")
	b.click(`form[action="/user/logon"] button[type="submit"]`)
	b.isAt("/course/night-sky/view")
	b.shows("Your account is ready.")
	b.click(`form[action$="/enroll"] button`)
	b.isAt("/course/night-sky/take")
	b.shows("You are enrolled.")
	b.click(`.take-head a.button`)
	first := b.path()
	b.click(`form[action$="/complete"] button`)
	b.shows("Lesson completed.")
	if second := b.path(); second == first || !strings.HasPrefix(second, "/course/night-sky/resource/text/") {
		t.Errorf("completing a lesson led to %s", second)
	}
	b.click(`.neighbours a[rel="next"]`)
	b.do(chromedp.Click(chromedp.CSS("details.account summary")))
	b.click(`.account-panel a[href="/home/panel"]`)
	b.shows("In progress")
	if card := eval[string](b, `document.querySelector(".card").innerText`); !regexp.MustCompile(`\b[1-9][0-9]?% complete`).MatchString(card) {
		t.Errorf("the panel does not show the progress: %q", card)
	}
	b.do(chromedp.Click(chromedp.CSS("details.account summary")))
	b.click(`.account-panel a[href="/perfil"]`)
	b.enter("nombre", "Nora L.")
	b.enter("bio", "Looks up.")
	b.enter("language", "Español")
	b.click(`form[action="/perfil"] button[type="submit"]`)
	if b.heading() != "Nora L." || !strings.Contains(eval[string](b, `document.querySelector("[name=bio]").value`), "Looks up.") {
		t.Errorf("the profile was not saved: heading %q", b.heading())
	}
	if lang := eval[string](b, `document.documentElement.lang`); lang != "es" {
		t.Errorf("the page is in %q after Spanish was chosen", lang)
	}
	b.do(chromedp.Click(chromedp.CSS("details.account summary")))
	b.click(`form[action="/user/logout"] button`)
	b.isAt("/home")
	if b.open("/home/panel"); !strings.HasPrefix(b.path(), "/user/login?next=") {
		t.Errorf("after sign-out the panel leads to %s", b.path())
	}
	if m := b.messages(); len(m) > 0 {
		t.Errorf("the console has: %v", m)
	}
}
