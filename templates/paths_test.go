package templates

import (
	"slices"
	"strings"
	"testing"
)

// TestPaths covers the addresses that the pages build.
func TestPaths(t *testing.T) {
	t.Parallel()
	search := ExploreView{Query: "a&b c", Level: "0", Category: "Ciência", Tag: "x/y"}
	for _, c := range []struct{ got, want string }{
		{string(courseURL("go-1", "/view")), "/course/go-1/view"},
		{string(courseURL("a/b?c#d", "/take")), "/course/a%2Fb%3Fc%23d/take"},
		{string(lessonURL("go", "one", "/complete")), "/course/go/resource/text/one/complete"},
		{string(localURL("/home/panel?x=1")), "/home/panel?x=1"},
		{string(localURL("https://evil.example/")), "/home"},
		{string(localURL("//evil.example/")), "/home"},
		{string(localURL(`/\evil.example/`)), "/home"},
		{string(localURL("/\t/evil.example/")), "/home"},
		{string(localURL("")), "/home"},
		{string(withNext("/user/login", "")), "/user/login"},
		{string(withNext("/user/login", "/a?b=c")), "/user/login?next=%2Fa%3Fb%3Dc"},
		{string(exploreURL(ExploreView{}, 1)), "/course/explore"},
		{string(exploreURL(search, 2)), "/course/explore?q=a%26b+c&level=0&category=Ci%C3%AAncia&tag=x%2Fy&page=2"},
		{accountNext(Page{Path: "/user/login?next=%2Fperfil"}), ""},
		{accountNext(Page{Path: "/course/go/view"}), "/course/go/view"},
		{current(Page{Path: "/course/explore?q=x"}, "/course/explore"), "page"},
		{current(Page{Path: "/home/panel"}, "/home/pan"), ""},
		{current(Page{Path: "/perfil/edit"}, "/perfil"), "true"},
	} {
		if c.got != c.want {
			t.Errorf("got %q; want %q", c.got, c.want)
		}
	}
}

// TestPageNumbers covers short, long and hostile numbers of pages.
func TestPageNumbers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		page, pages int
		want        []int
	}{
		{1, 0, nil}, {1, 1, []int{1}}, {1, 2, []int{1, 2}}, {2, 3, []int{1, 2, 3}},
		{1, 9, []int{1, 2, 0, 9}}, {5, 9, []int{1, 0, 4, 5, 6, 0, 9}}, {9, 9, []int{1, 0, 8, 9}},
		{3, 9, []int{1, 2, 3, 4, 0, 9}}, {7, 9, []int{1, 0, 6, 7, 8, 9}},
		{500000000, 1000000000, []int{1, 0, 499999999, 500000000, 500000001, 0, 1000000000}},
		{0, 4, []int{1, 2, 0, 4}}, {-7, 3, []int{1, 2, 3}}, {99, 3, []int{1, 2, 3}},
	} {
		if got := pageNumbers(c.page, c.pages); !slices.Equal(got, c.want) {
			t.Errorf("pageNumbers(%d, %d) = %v; want %v", c.page, c.pages, got, c.want)
		}
	}
}

// TestPatternsDiffer wants a cover from each code, always the same, and
// different ones from different codes.
func TestPatternsDiffer(t *testing.T) {
	t.Parallel()
	seen, seenTones := map[pattern]string{}, map[string]bool{}
	for _, code := range strings.Fields("a b c go go-1 go-2 history-of-art x_y 0 1 2 3 4 5 6 7 8 9") {
		p := newPattern(code)
		if p != newPattern(code) {
			t.Errorf("%q has two patterns", code)
		}
		if other, ok := seen[p]; ok {
			t.Errorf("%q looks like %q", code, other)
		}
		seen[p], seenTones[p.Tone] = code, true
		for _, d := range p.Layers {
			if d != "" && (d[0] != 'M' || d[len(d)-1] != 'z') {
				t.Errorf("%q has the path %q", code, d)
			}
		}
	}
	if len(seenTones) != tones {
		t.Errorf("only %d of %d sets of colours were seen", len(seenTones), tones)
	}
	newPattern("") // must not fail
}
