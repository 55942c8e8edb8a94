package templates

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/lectern-lms/lectern/guest/lms"
)

// levelName is what a level of a course is called.
func levelName(lang string, l lms.Level) string {
	switch l {
	case lms.LevelIntroductory:
		return T(lang, "level.introductory")
	case lms.LevelBeginner:
		return T(lang, "level.beginner")
	case lms.LevelIntermediate:
		return T(lang, "level.intermediate")
	}
	return T(lang, "level.advanced")
}

// levels are the values of the search field "level", in order.
var levels = []lms.Level{lms.LevelIntroductory, lms.LevelBeginner, lms.LevelIntermediate, lms.LevelAdvanced}

// levelValue is a level as the search form sends it.
func levelValue(l lms.Level) string { return strconv.Itoa(int(l)) }

// stateName is what the state of a course is called.
func stateName(lang string, s lms.State) string {
	switch s {
	case lms.StateDraft:
		return T(lang, "state.draft")
	case lms.StateOpen:
		return T(lang, "state.open")
	case lms.StateClosed:
		return T(lang, "state.closed")
	}
	return T(lang, "state.finalized")
}

// roleName is what a role is called.
func roleName(lang string, r lms.Role) string {
	switch r {
	case lms.RoleAdmin:
		return T(lang, "role.admin")
	case lms.RoleModerator:
		return T(lang, "role.moderator")
	case lms.RoleInstructor:
		return T(lang, "role.instructor")
	}
	return T(lang, "role.student")
}

// languageName is what a language is called in another; a tag that has no name
// in the catalogues stands for itself.
func languageName(lang, tag string) string {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch primary {
	case "en":
		return T(lang, "language.en")
	case "es":
		return T(lang, "language.es")
	case "pt":
		return T(lang, "language.pt")
	case "fr":
		return T(lang, "language.fr")
	case "de":
		return T(lang, "language.de")
	}
	return tag
}

// sizeText is the length of a course in a few words: "12 lessons · 2 h 5 min".
func sizeText(lang string, c lms.Course) string {
	text := TN(lang, "count.lessons", lms.LessonCount(c))
	if minutes := lms.Minutes(c); minutes > 0 {
		text += " · " + FormatMinutes(lang, minutes)
	}
	return text
}

// eyebrow is the line above a course's title: its category and level.
func eyebrow(lang string, c lms.Course) string {
	if c.Category == "" {
		return levelName(lang, c.Level)
	}
	return c.Category + " · " + levelName(lang, c.Level)
}

// initials are one or two capital letters that stand for a person: those of
// the first and the last word of the name.
func initials(name string) string {
	words := strings.Fields(name)
	if len(words) == 0 {
		return "?"
	}
	text := firstLetter(words[0])
	if len(words) > 1 {
		text += firstLetter(words[len(words)-1])
	}
	return text
}

// firstLetter is the first rune of a word as a capital.
func firstLetter(word string) string {
	r, _ := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(r))
}

// pageTitle is the text of the <title> element.
func pageTitle(p Page) string {
	if p.Title == "" || p.Title == p.Site {
		return p.Site
	}
	return p.Title + " · " + p.Site
}

// percent keeps a percentage within the range of a progress bar.
func percent(n int) int { return min(max(n, 0), 100) }
