//go:build unix

package e2e

import (
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focus is what the browser says of the element that has the focus.
type focus struct {
	Tag, ID, Name, Text, Label, Href string
	// Outline is the computed style of the outline, Width its width in pixels.
	Outline string
	Width   float64
	// InView says that the element is where the reader can see it.
	InView bool
}

// focused describes the element with the focus; an empty Tag is the page. The
// outline may be drawn around what holds the element: a card, a search bar.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) return {tag: ""};
	let s = getComputedStyle(e);
	for (let o = e.parentElement; s.outlineStyle === "none" && o && o.tagName !== "MAIN"; o = o.parentElement) s = getComputedStyle(o);
	const r = e.getBoundingClientRect();
	return {
		tag: e.tagName.toLowerCase(), id: e.id, name: e.getAttribute("name") || "", text: (e.innerText || "").trim(),
		label: e.getAttribute("aria-label") || "", href: e.getAttribute("href") || "",
		outline: s.outlineStyle, width: parseFloat(s.outlineWidth),
		inView: r.width > 0 && r.height > 0 && r.bottom > 0 && r.right > 0 && r.top < innerHeight && r.left < innerWidth,
	};
})()`

// maxTabs is the most presses of Tab that reaching something on a page may
// take; a lesson's outline alone has a dozen links.
const maxTabs = 70

// tabTo presses Tab until the wanted element has the focus. On the way each
// element must show that it has the focus.
func (b *tab) tabTo(what string, wanted func(focus) bool) focus {
	b.t.Helper()
	for range maxTabs {
		b.do(chromedp.KeyEvent(kb.Tab))
		f := eval[focus](b, focused)
		if f.Tag == "" {
			continue
		}
		if f.Outline == "none" || f.Width <= 0 || !f.InView {
			b.t.Errorf("at %s the focus cannot be seen: %+v", b.path(), f)
		}
		if wanted(f) {
			return f
		}
	}
	b.t.Fatalf("at %s: %s cannot be reached by pressing Tab %d times", b.path(), what, maxTabs)
	return focus{}
}

// toLink presses Tab until a link that leads to a path has the focus.
func (b *tab) toLink(href string) {
	b.t.Helper()
	b.tabTo("a link to "+href, func(f focus) bool { return f.Tag == "a" && strings.HasPrefix(f.Href, href) })
}

// toButton presses Tab until a button of this text has the focus.
func (b *tab) toButton(text string) {
	b.t.Helper()
	b.tabTo("the button "+text, func(f focus) bool { return f.Tag == "button" && containsFold(f.Text, text) })
}

// typeIn presses Tab until a field has the focus, and types in place of what
// it holds.
func (b *tab) typeIn(name, text string) {
	b.t.Helper()
	b.tabTo("the field "+name, func(f focus) bool { return f.Name == name })
	b.do(selectAll, chromedp.KeyEvent(text))
}

// press presses a key that leads to another page.
func (b *tab) press(key string) {
	b.t.Helper()
	if status := b.leave(chromedp.KeyEvent(key)); status >= 400 {
		b.t.Fatalf("a key led to status %d", status)
	}
}

// fromMenu opens the account's menu and chooses a link of it.
func (b *tab) fromMenu(href string) {
	b.t.Helper()
	b.openMenu()
	b.toLink(href)
	b.press(kb.Enter)
}

// openMenu opens the account's menu.
func (b *tab) openMenu() {
	b.t.Helper()
	b.tabTo("the account's menu", func(f focus) bool { return f.Tag == "summary" && strings.HasPrefix(f.Label, "Account") })
	b.do(chromedp.KeyEvent(kb.Enter))
}

// TestByKeyboard goes the whole way of a learner with the keys Tab, Enter and
// space, and typing.
func TestByKeyboard(t *testing.T) {
	t.Parallel()
	b := openTab(t, startSite(t))
	b.open("/home")
	if f := b.tabTo("anything", func(focus) bool { return true }); f.Href != "#main" {
		t.Errorf("the first stop is %+v, expected the link to the content", f)
	}
	b.do(chromedp.KeyEvent(kb.Enter))
	if f := eval[focus](b, focused); f.ID != "main" {
		t.Errorf("the link to the content leads the focus to %+v", f)
	}
	if f := b.tabTo("anything", func(focus) bool { return true }); !eval[bool](b, `document.querySelector("main").contains(document.activeElement)`) {
		t.Errorf("after the link to the content the next stop is %+v", f)
	}
	b.open("/home")
	b.toLink("/course/explore")
	b.press(kb.Enter)
	b.typeIn("q", "night")
	b.press(kb.Enter)
	b.toLink("/course/night-sky/view")
	b.press(kb.Enter)
	b.tabTo("the way to an account", func(f focus) bool {
		return strings.HasPrefix(f.Href, "/user/logon") && eval[bool](b, `document.activeElement.closest("main") !== null`)
	})
	b.press(kb.Enter)
	b.typeIn("usuario", "kim")
	b.typeIn("nombre", "Kim Okoro")
	b.typeIn("correo_electronico", "kim@example.org")
	b.typeIn("acceso", "three-unrelated-words")
	b.press(kb.Enter)
	b.isAt("/course/night-sky/view")
	b.toButton("Enrol in this course")
	b.press(kb.Enter)
	b.isAt("/course/night-sky/take")
	b.toLink("/course/night-sky/resource/text/")
	b.press(kb.Enter)
	first := b.path()
	b.toButton("Mark as complete")
	b.press(" ")
	b.shows("Lesson completed.")
	second := b.path()
	b.tabTo("the next lesson", func(f focus) bool {
		return strings.HasPrefix(f.Text, "Next lesson") || strings.Contains(f.Text, "\nNext lesson")
	})
	b.press(kb.Enter)
	if third := b.path(); first == second || second == third {
		t.Errorf("the lessons were %s, %s, %s", first, second, third)
	}
	b.fromMenu("/home/panel")
	b.shows("In progress")
	b.fromMenu("/perfil")
	b.typeIn("nombre", "Kim O.")
	b.press(kb.Enter)
	if b.heading() != "Kim O." {
		t.Errorf("the profile was not saved: heading %q", b.heading())
	}
	b.openMenu()
	b.toButton("Sign out")
	b.press(kb.Enter)
	b.isAt("/home")
	b.shows("You are signed out.")
	if m := b.messages(); len(m) > 0 {
		t.Errorf("the console has: %v", m)
	}
}

// TestMenuByKeyboard checks that Escape closes the account's menu and gives
// the focus back, and that a faulty form leads the focus to what is wrong.
func TestMenuByKeyboard(t *testing.T) {
	t.Parallel()
	b := openTab(t, startSite(t))
	b.open("/user/login")
	b.typeIn("usuario", student)
	b.typeIn("acceso", "wrong")
	if status := b.leave(chromedp.KeyEvent(kb.Enter)); status != 401 {
		t.Errorf("a wrong password: status %d", status)
	}
	at := ""
	for end := time.Now().Add(10 * time.Second); at != "faults" && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		at = eval[string](b, `document.activeElement.className`) // the script of the page moves it
	}
	if at != "faults" {
		t.Errorf("after a fault the focus is at %q, expected the list of faults", at)
	}
	b.typeIn("acceso", studentPassword)
	b.press(kb.Enter)
	b.isAt("/home/panel")
	b.openMenu()
	if !eval[bool](b, `document.querySelector("details.account").open`) {
		t.Error("Enter does not open the menu")
	}
	b.do(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Escape))
	if eval[bool](b, `document.querySelector("details.account").open`) {
		t.Error("Escape does not close the menu")
	}
	if f := eval[focus](b, focused); f.Tag != "summary" {
		t.Errorf("after Escape the focus is at %+v", f)
	}
}
