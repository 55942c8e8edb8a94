package lms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The most characters (code points) of a profile's texts. A name must fit the
// header of a page and a certificate; a bio is a few paragraphs.
const (
	MaxNameRunes = 80
	MaxBioRunes  = 1000
)

// The keys of the messages that ValidateProfile returns; the texts are in the
// message catalogue of templates.
const (
	MessageRequired        = "form.required"
	MessageTooLong         = "form.too_long"
	MessageUnknownLanguage = "form.unknown_language"
)

// ValidateProfile checks what Clean(p) would store and returns a message key
// for each field (by its JSON name) that is at fault; an empty map means that
// all is well. A name is required, of at most MaxNameRunes; a bio has at most
// MaxBioRunes; a language is "" or one of languages.
func ValidateProfile(p Profile, languages []string) map[string]string {
	p = Clean(p)
	faults := map[string]string{}
	switch {
	case p.Name == "":
		faults["name"] = MessageRequired
	case utf8.RuneCountInString(p.Name) > MaxNameRunes:
		faults["name"] = MessageTooLong
	}
	if utf8.RuneCountInString(p.Bio) > MaxBioRunes {
		faults["bio"] = MessageTooLong
	}
	if p.Language != "" && !slices.Contains(languages, p.Language) {
		faults["language"] = MessageUnknownLanguage
	}
	return faults
}

// Clean returns a profile as it is stored: control characters, marks that
// turn the direction of text around and bytes that are not UTF-8 are dropped,
// space at the ends is trimmed. A name and a language are one line with single
// spaces; a bio keeps its line breaks, as "\n". Clean(Clean(p)) is Clean(p).
func Clean(p Profile) Profile {
	p.Name = cleanLine(p.Name)
	p.Language = cleanLine(p.Language)
	p.Bio = cleanText(p.Bio)
	return p
}

// cleanLine cleans a text of one line.
func cleanLine(s string) string {
	return strings.Join(strings.Fields(dropControls(s)), " ")
}

// cleanText cleans a text of several lines. Browsers send line breaks of forms
// as "\r\n".
func cleanText(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", "\n")
	return strings.TrimSpace(dropControls(s))
}

// dropControls drops control characters except white space (which the callers
// deal with), marks of text direction and invalid UTF-8.
func dropControls(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return r
		case unicode.IsControl(r) || isDirectionMark(r) || r == utf8.RuneError:
			return -1
		default:
			return r
		}
	}, s)
}

// isDirectionMark tells whether a rune is one of the embedding, override and
// isolate marks (UAX 9), with which a name could be made to read as another.
func isDirectionMark(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}
