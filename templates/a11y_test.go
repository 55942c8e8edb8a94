package templates

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// a11yChecks are what every page has to hold; each reports its own faults.
var a11yChecks = map[string]func(*testing.T, *html.Node){
	"language":  checkLanguage,
	"headings":  checkHeadings,
	"fields":    checkFields,
	"names":     checkNames,
	"ids":       checkIDs,
	"policy":    checkPolicy,
	"lists":     checkLists,
	"landmarks": checkLandmarks,
	"forms":     checkForms,
}

// TestAccessibility holds every page in every language and state against every
// check.
func TestAccessibility(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		for _, s := range samplePages(l.Tag) {
			root := parse(t, render(t, s.page))
			for name, check := range a11yChecks {
				t.Run(l.Tag+"/"+s.name+"/"+name, func(t *testing.T) { check(t, root) })
			}
		}
	}
}

// checkLanguage wants a language on the page, a title, and no empty lang.
func checkLanguage(t *testing.T, root *html.Node) {
	if lang, _ := attr(elements(root, "html")[0], "lang"); lang == "" {
		t.Error("the page has no lang")
	}
	if titles := elements(elements(root, "head")[0], "title"); len(titles) != 1 || accessibleText(titles[0]) == "" {
		t.Error("the page has no title")
	}
	for _, n := range elements(root) {
		if lang, ok := attr(n, "lang"); ok && lang == "" {
			t.Errorf("<%s> has an empty lang", n.Data)
		}
	}
}

// checkHeadings wants one h1, first, and no level left out.
func checkHeadings(t *testing.T, root *html.Node) {
	last, count := 0, 0
	for _, n := range elements(root, "h1", "h2", "h3", "h4", "h5", "h6") {
		level := int(n.Data[1] - '0')
		if level == 1 {
			count++
		}
		if level > last+1 {
			t.Errorf("%s %q follows a heading of level %d", n.Data, accessibleText(n), last)
		}
		if accessibleText(n) == "" {
			t.Errorf("an %s is empty", n.Data)
		}
		last = level
	}
	if count != 1 {
		t.Errorf("the page has %d h1; want 1", count)
	}
}

// checkFields wants a label for each field and the elements that describe it.
func checkFields(t *testing.T, root *html.Node) {
	ids, labelled := map[string]bool{}, map[string]bool{}
	for _, n := range elements(root) {
		if id, ok := attr(n, "id"); ok {
			ids[id] = true
		}
	}
	for _, n := range elements(root, "label") {
		if accessibleText(n) == "" {
			t.Error("a label is empty")
		}
		target, _ := attr(n, "for")
		labelled[target] = true
	}
	for _, n := range elements(root, "input", "select", "textarea") {
		id, _ := attr(n, "id")
		if kind, _ := attr(n, "type"); kind != "hidden" && !labelled[id] {
			t.Errorf("<%s id=%q> has no label", n.Data, id)
		}
		invalid, _ := attr(n, "aria-invalid")
		if by, _ := attr(n, "aria-describedby"); invalid == "true" && !strings.Contains(by, id+"-error") {
			t.Errorf("the fault of #%s is not tied to it", id)
		}
	}
	for _, n := range elements(root) {
		for _, name := range []string{"aria-describedby", "aria-labelledby", "for"} {
			value, _ := attr(n, name)
			for _, id := range strings.Fields(value) {
				if !ids[id] {
					t.Errorf("<%s %s=%q> names an element that is not there", n.Data, name, id)
				}
			}
		}
	}
}

// checkNames wants a name for whatever can be used or seen.
func checkNames(t *testing.T, root *html.Node) {
	for _, n := range elements(root, "a", "button", "summary", "option") {
		if accessibleText(n) == "" {
			t.Errorf("a <%s> has no text", n.Data)
		}
	}
	for _, n := range elements(root, "img") {
		if _, ok := attr(n, "alt"); !ok {
			t.Error("an image has no alt")
		}
	}
	for _, n := range elements(root, "svg") {
		if hidden, _ := attr(n, "aria-hidden"); hidden != "true" && len(elements(n, "title")) == 0 {
			t.Error("a drawing is neither hidden nor named")
		}
	}
	for _, n := range elements(root, "progress") {
		if !has(n, "aria-label") {
			t.Error("a progress bar has no name")
		}
	}
	for _, n := range elements(root) {
		if index, ok := attr(n, "tabindex"); ok && index != "0" && index != "-1" {
			t.Errorf("<%s tabindex=%q> changes the order of the keyboard", n.Data, index)
		}
	}
}

// checkIDs wants each id once.
func checkIDs(t *testing.T, root *html.Node) {
	seen := map[string]bool{}
	for _, n := range elements(root) {
		id, ok := attr(n, "id")
		if ok && (seen[id] || id == "" || strings.ContainsAny(id, " \t\n")) {
			t.Errorf("id %q is empty, doubled or holds a space", id)
		}
		seen[id] = true
	}
}

// checkPolicy wants nothing that the content policy blocks: no inline style,
// script or handler, and no file from elsewhere.
func checkPolicy(t *testing.T, root *html.Node) {
	for _, n := range elements(root) {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
				t.Errorf("<%s> has the inline attribute %s", n.Data, a.Key)
			}
		}
	}
	if len(elements(root, "style", "iframe", "object", "embed", "base")) > 0 {
		t.Error("the page has an inline style or an embedded document")
	}
	for _, n := range elements(root, "script", "img", "link") {
		source, _ := attr(n, "src")
		if n.Data == "link" {
			source, _ = attr(n, "href")
		}
		if !strings.HasPrefix(source, "/static/") || n.Data == "script" && n.FirstChild != nil {
			t.Errorf("<%s> takes %q; only files under /static/ are allowed", n.Data, source)
		}
	}
}

// checkLists wants lists to hold entries and nothing else.
func checkLists(t *testing.T, root *html.Node) {
	for _, n := range elements(root, "ul", "ol") {
		entries := 0
		for c := range n.ChildNodes() {
			if c.Type == html.ElementNode && c.Data != "li" {
				t.Errorf("a <%s> holds a <%s>", n.Data, c.Data)
			}
			entries++
		}
		if entries == 0 {
			t.Errorf("a <%s> is empty", n.Data)
		}
	}
	for _, n := range elements(root, "a") {
		if len(elements(n, "a", "button", "input")) > 0 {
			t.Error("a link holds something else to use")
		}
	}
}

// checkLandmarks wants one main part and, on pages with a frame, a header, a
// footer, a link past the menu, and names for all navigation.
func checkLandmarks(t *testing.T, root *html.Node) {
	if n := len(elements(root, "main")); n != 1 {
		t.Errorf("the page has %d main parts; want 1", n)
	}
	names := map[string]bool{}
	for _, n := range elements(root, "nav") {
		name, _ := attr(n, "aria-label")
		if name == "" || names[name] {
			t.Errorf("a <nav> has no name of its own, but %q", name)
		}
		names[name] = true
	}
	if len(elements(root, "nav")) == 0 {
		return // the plain error page
	}
	first := elements(elements(root, "body")[0])[0]
	if target, _ := attr(first, "href"); target != "#main" {
		t.Error("the first thing on the page is not the link to its main part")
	}
	banners, infos := 0, 0
	for _, n := range elements(root, "header", "footer") {
		switch {
		case inside(n, "main", "article", "section"):
		case n.Data == "header":
			banners++
		default:
			infos++
		}
	}
	if banners != 1 || infos != 1 {
		t.Errorf("the page has %d headers and %d footers; want 1 and 1", banners, infos)
	}
}

// checkForms wants forms that stay on the site, and searches that are GET.
func checkForms(t *testing.T, root *html.Node) {
	for _, n := range elements(root, "form") {
		action, _ := attr(n, "action")
		method, _ := attr(n, "method")
		if !local(action) {
			t.Errorf("a form goes to %q", action)
		}
		if role, _ := attr(n, "role"); (role == "search") != (method == "get") || method != "get" && method != "post" {
			t.Errorf("the form to %s has the method %q and the role %q", action, method, role)
		}
		if inside(n, "form") {
			t.Error("a form is inside a form")
		}
	}
	for _, n := range elements(root, "input", "textarea") {
		kind, _ := attr(n, "type")
		if kind != "hidden" && n.Data == "input" && !has(n, "autocomplete") {
			t.Error("a field does not say what may fill it (autocomplete)")
		}
		if paste, ok := attr(n, "onpaste"); ok {
			t.Errorf("a field meddles with pasting: %s", paste)
		}
	}
}
