package templates

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// The least contrast that WCAG 2.2 asks for at level AA: of text (1.4.3), and
// of borders and marks that carry meaning (1.4.11).
const (
	textContrast = 4.5
	markContrast = 3.0
)

// contrasts are the pairs of colours that meet in the stylesheet: the colour
// in front, the one behind, and what they need.
var contrasts = []struct {
	front, back string
	least       float64
}{
	{"ink", "paper", textContrast},
	{"ink", "surface", textContrast},
	{"ink", "sunken", textContrast},
	{"ink", "accent-tint", textContrast},
	{"ink", "danger-tint", textContrast},
	{"ink-soft", "paper", textContrast},
	{"ink-soft", "surface", textContrast},
	{"ink-soft", "sunken", textContrast},
	{"ink-soft", "accent-tint", textContrast},
	{"accent", "paper", textContrast},
	{"accent", "surface", textContrast},
	{"accent", "sunken", textContrast},
	{"accent", "accent-tint", textContrast},
	{"accent-strong", "accent-tint", textContrast},
	{"accent-strong", "paper", textContrast},
	{"on-accent", "accent", textContrast},
	{"on-accent", "accent-strong", textContrast},
	{"danger", "paper", textContrast},
	{"danger", "surface", textContrast},
	{"danger", "danger-tint", textContrast},
	{"line-strong", "paper", markContrast},
	{"line-strong", "surface", markContrast},
	{"line-strong", "sunken", markContrast},
	{"accent", "line", markContrast},
}

// declaration is one custom property that is a plain colour.
var declaration = regexp.MustCompile(`--([a-z-]+):\s*#([0-9a-f]{6});`)

// themes reads the colours of the light and the dark theme; what the dark one
// does not set it takes from the light one.
func themes(t *testing.T) map[string]map[string]string {
	t.Helper()
	source, err := os.ReadFile(filepath.Join("static", "css", "10-tokens.css"))
	if err != nil {
		t.Fatal(err)
	}
	light, dark, found := strings.Cut(string(source), "@media (prefers-color-scheme: dark)")
	if !found {
		t.Fatal("10-tokens.css has no dark theme")
	}
	all := map[string]map[string]string{"light": {}, "dark": {}}
	for _, m := range declaration.FindAllStringSubmatch(light, -1) {
		all["light"][m[1]], all["dark"][m[1]] = m[2], m[2]
	}
	for _, m := range declaration.FindAllStringSubmatch(dark, -1) {
		all["dark"][m[1]] = m[2]
	}
	return all
}

// luminance is the relative luminance of a colour as WCAG defines it.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			sum += weight * c / 12.92
		} else {
			sum += weight * math.Pow((c+0.055)/1.055, 2.4)
		}
	}
	return sum
}

// contrast is the ratio of two colours, from 1 to 21.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	la, lb := luminance(t, a), luminance(t, b)
	return (max(la, lb) + 0.05) / (min(la, lb) + 0.05)
}

// TestContrast computes each pair in both themes.
func TestContrast(t *testing.T) {
	t.Parallel()
	if got := contrast(t, "000000", "ffffff"); math.Abs(got-21) > 1e-9 {
		t.Fatalf("black on white is %v; want 21, so the formula is wrong", got)
	}
	for name, theme := range themes(t) {
		for _, c := range contrasts {
			front, back := theme[c.front], theme[c.back]
			if front == "" || back == "" {
				t.Errorf("%s: --%s or --%s is not a plain colour", name, c.front, c.back)
				continue
			}
			if got := contrast(t, front, back); got < c.least {
				t.Errorf("%s: --%s on --%s is %.2f; want %.1f at least", name, c.front, c.back, got, c.least)
			}
		}
	}
}

// TestThemeColour keeps the browser's own frame in the colour of the paper.
func TestThemeColour(t *testing.T) {
	t.Parallel()
	source := render(t, frame(Page{Lang: "en"}))
	for name, theme := range themes(t) {
		want := `content="#` + theme["paper"] + `" media="(prefers-color-scheme: ` + name + `)"`
		if !strings.Contains(source, want) {
			t.Errorf("the page does not say %s", want)
		}
	}
}
