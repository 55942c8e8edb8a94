package templates

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// parse is a page as a tree.
func parse(t testing.TB, source string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// elements are all elements below a node, in the order of the document, that
// have one of the names; all if there are none.
func elements(root *html.Node, names ...string) []*html.Node {
	var found []*html.Node
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if len(names) == 0 {
			found = append(found, n)
		}
		for _, name := range names {
			if n.Data == name {
				found = append(found, n)
			}
		}
	}
	return found
}

// attr is the value of an attribute and whether it is there.
func attr(n *html.Node, name string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val, true
		}
	}
	return "", false
}

// has reports whether an attribute is there and not empty.
func has(n *html.Node, name string) bool {
	v, ok := attr(n, name)
	return ok && strings.TrimSpace(v) != ""
}

// accessibleText is the text of an element as a screen reader has it: without
// what is hidden from it, with the alternatives of images.
func accessibleText(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data
	}
	if v, _ := attr(n, "aria-hidden"); v == "true" {
		return ""
	}
	if label, ok := attr(n, "aria-label"); ok {
		return label
	}
	if alt, ok := attr(n, "alt"); ok {
		return alt
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(accessibleText(c))
	}
	return strings.TrimSpace(b.String())
}

// inside reports whether a node is below an element of one of the names.
func inside(n *html.Node, names ...string) bool {
	for p := range n.Ancestors() {
		for _, name := range names {
			if p.Data == name {
				return true
			}
		}
	}
	return false
}

// local reports whether an address stays on this site.
func local(address string) bool {
	return strings.HasPrefix(address, "#") ||
		strings.HasPrefix(address, "/") && !strings.HasPrefix(address, "//") && !strings.HasPrefix(address, `/\`)
}
