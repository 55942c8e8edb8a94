package templates

import (
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/lms"
)

// TestFormat covers dates, numbers, percentages and lengths by language.
func TestFormat(t *testing.T) {
	t.Parallel()
	may := time.Date(2026, time.May, 9, 23, 0, 0, 0, time.UTC)
	for _, c := range [][2]string{
		{FormatDate("en", may), "9 May 2026"},
		{FormatDate("es", may), "9 de mayo de 2026"},
		{FormatDate("pt-BR", may), "9 de maio de 2026"},
		{FormatDate("en", time.Time{}), ""},
		{FormatNumber("en", 1234567), "1,234,567"},
		{FormatNumber("en", -1234), "-1,234"},
		{FormatNumber("en", 999), "999"},
		{FormatNumber("es", 9999), "9999"},
		{FormatNumber("es", 1234567), "1.234.567"},
		{FormatNumber("pt-BR", 1000), "1.000"},
		{FormatPercent("en", 73), "73%"},
		{FormatPercent("es", 73), "73\u00a0%"},
		{FormatPercent("pt-BR", 100), "100%"},
		{FormatMinutes("en", 9), "9\u00a0min"},
		{FormatMinutes("en", 120), "2\u00a0h"},
		{FormatMinutes("es", 125), "2\u00a0h 5\u00a0min"},
		{initials("Nadia Ferreira"), "NF"},
		{initials(" ángela "), "Á"},
		{initials("Ana María de la Cruz"), "AC"},
		{initials(""), "?"},
		{pageTitle(Page{Title: "Courses", Site: "Lectern"}), "Courses · Lectern"},
		{pageTitle(Page{Site: "Lectern"}), "Lectern"},
		{languageName("es", "pt-BR"), "Portugués"},
		{languageName("en", "qu"), "qu"},
		{levelName("en", lms.LevelAdvanced), "Advanced"},
		{eyebrow("en", lms.Course{}), "Introductory"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q; want %q", c[0], c[1])
		}
	}
}

// TestMonthsAreNamed wants twelve different names in each language.
func TestMonthsAreNamed(t *testing.T) {
	t.Parallel()
	for _, l := range Languages {
		seen := map[string]bool{}
		for m := time.January; m <= time.December; m++ {
			seen[FormatDate(l.Tag, time.Date(2026, m, 1, 0, 0, 0, 0, time.UTC))] = true
		}
		if len(seen) != 12 {
			t.Errorf("%s has %d months", l.Tag, len(seen))
		}
	}
}
