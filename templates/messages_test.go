package templates

import "testing"

// TestT covers look-up, fallback and placeholders.
func TestT(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang, key string
		args      []string
		want      string
	}{
		{"en", "nav.courses", nil, "Courses"},
		{"es", "nav.courses", nil, "Cursos"},
		{"pt-BR", "nav.sign_out", nil, "Sair"},
		{"es-MX", "nav.courses", nil, "Cursos"},
		{"pt", "nav.sign_out", nil, "Sair"},
		{"PT-pt", "nav.sign_out", nil, "Sair"},
		{"fr", "nav.courses", nil, "Courses"},
		{"", "nav.courses", nil, "Courses"},
		{"en", "no.such_key", nil, "no.such_key"},
		{"en", "lesson.position", []string{"3", "12"}, "Lesson 3 of 12"},
		{"es", "lesson.position", []string{"{1}", "12"}, "Lección {1} de 12"},
		{"en", "lesson.position", []string{"3"}, "Lesson 3 of {1}"},
		{"en", "nav.courses", []string{"unused"}, "Courses"},
	} {
		if got := T(c.lang, c.key, c.args...); got != c.want {
			t.Errorf("T(%q, %q, %q) = %q; want %q", c.lang, c.key, c.args, got, c.want)
		}
	}
}

// TestFill covers texts that only look like placeholders.
func TestFill(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":             "",
		"{0}{0}":       "aa",
		"{":            "{",
		"{}":           "{}",
		"{x} {0} {-1}": "{x} a {-1}",
		"{0":           "{0",
		"{{0}}":        "{a}",
	} {
		if got := fill(text, []string{"a"}); got != want {
			t.Errorf("fill(%q) = %q; want %q", text, got, want)
		}
	}
}

// FuzzFill looks for a text or argument that makes it fail.
func FuzzFill(f *testing.F) {
	f.Add("{0} of {1}", "{1}")
	f.Add("{{{{", "")
	f.Add("{99999999999999999999}", "x")
	f.Fuzz(func(t *testing.T, text, arg string) {
		if got := fill(text, nil); got != text {
			t.Errorf("fill(%q) without arguments = %q", text, got)
		}
		fill(text, []string{arg})
	})
}

// TestTN covers the two forms and where the languages differ.
func TestTN(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lang string
		n    int
		want string
	}{
		{"en", 0, "0 lessons"}, {"en", 1, "1 lesson"}, {"en", 12000, "12,000 lessons"},
		{"es", 0, "0 lecciones"}, {"es", 1, "1 lección"}, {"es", 1200, "1200 lecciones"}, {"es", 12000, "12.000 lecciones"},
		{"pt-BR", 0, "0 aula"}, {"pt-BR", 1, "1 aula"}, {"pt-BR", 1200, "1.200 aulas"},
	} {
		if got := TN(c.lang, "count.lessons", c.n); got != c.want {
			t.Errorf("TN(%q, %d) = %q; want %q", c.lang, c.n, got, c.want)
		}
	}
}

// TestMatchLanguage covers exact tags, relatives and strangers.
func TestMatchLanguage(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"en": "en", "EN-gb": "en", "es-419": "es", "pt": "pt-BR", "pt-br": "pt-BR", "pt-PT": "pt-BR",
		"fr": "", "": "", "e": "", "english": "", "-": "",
	} {
		if got, ok := MatchLanguage(tag); got != want || ok != (want != "") {
			t.Errorf("MatchLanguage(%q) = %q, %v; want %q", tag, got, ok, want)
		}
	}
}
