package templates

import (
	"strconv"
	"strings"
)

// Language is a language of the interface.
type Language struct {
	// Tag is the BCP 47 tag, Name what the language calls itself.
	Tag, Name string
}

// Languages are the languages of the interface in the order they are offered;
// the first one is used when nothing else fits.
var Languages = []Language{
	{Tag: "en", Name: "English"},
	{Tag: "es", Name: "Español"},
	{Tag: "pt-BR", Name: "Português"},
}

// MatchLanguage finds the tag of Languages that serves a BCP 47 tag best: the
// tag itself in any case, else one with the same primary language ("es-MX" is
// served by "es", "pt" by "pt-BR"). It reports false if there is none.
func MatchLanguage(tag string) (string, bool) {
	primary, _, _ := strings.Cut(tag, "-")
	match := ""
	for _, l := range Languages {
		if strings.EqualFold(l.Tag, tag) {
			return l.Tag, true
		}
		own, _, _ := strings.Cut(l.Tag, "-")
		if match == "" && strings.EqualFold(own, primary) {
			match = l.Tag
		}
	}
	return match, match != ""
}

// T is the message for a key in a language, with {0}, {1} and so on replaced
// by args. A language that is unknown falls back to its nearest relative, then
// to English; an unknown key is returned as it is, so that a slip shows on the
// page and not as a gap. The result is plain text: escape it as any other.
func T(lang, key string, args ...string) string {
	text, ok := catalogue(lang)[key]
	if !ok {
		if text, ok = english[key]; !ok {
			return key
		}
	}
	if len(args) == 0 {
		return text
	}
	return fill(text, args)
}

// TN is the message for a number of things: the key's form ".one" or ".other",
// as the language's grammar asks, with {0} replaced by the written number.
func TN(lang, key string, n int) string {
	form := ".other"
	// Portuguese counts 0 as singular, English and Spanish only 1 (CLDR).
	if n == 1 || n == 0 && isPortuguese(lang) {
		form = ".one"
	}
	return T(lang, key+form, FormatNumber(lang, n))
}

// catalogue picks the messages of a language; English if there are none.
func catalogue(lang string) map[string]string {
	switch lang {
	case "en":
		return english
	case "es":
		return spanish
	case "pt-BR":
		return portuguese
	}
	if tag, ok := MatchLanguage(lang); ok {
		return catalogue(tag)
	}
	return english
}

// fill replaces placeholders in one pass, so that an argument which happens to
// contain "{1}" stays as it is. A placeholder without an argument stays too.
func fill(text string, args []string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		name, after, closed := strings.Cut(rest, "}")
		n, err := strconv.Atoi(name)
		if !closed || err != nil || n < 0 || n >= len(args) {
			b.WriteByte('{')
			text = rest
			continue
		}
		b.WriteString(args[n])
		text = after
	}
}

// isSpanish reports whether a tag's primary language is Spanish.
func isSpanish(lang string) bool { return lang == "es" || strings.HasPrefix(lang, "es-") }

// isPortuguese reports whether a tag's primary language is Portuguese.
func isPortuguese(lang string) bool { return lang == "pt-BR" || strings.HasPrefix(lang, "pt") }
