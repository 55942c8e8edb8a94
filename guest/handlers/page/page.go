// Package page is what the pages of all handlers share: the frame around
// them, notices, and cards of courses with the reader's progress.
package page

import (
	"strings"

	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
	"github.com/lectern-lms/lectern/templates"
)

// LanguageValue is the session value that holds the language a reader chose.
const LanguageValue = "lang"

// New makes the frame of a page. title is the page's own title, or a key of
// the message catalogue.
func New(r *sdk.Request, title string) (templates.Page, error) {
	lang := Language(r)
	p := templates.Page{
		Title:   templates.T(lang, title),
		Path:    r.URI(),
		Lang:    lang,
		Site:    r.SiteName(),
		Notices: notices(r),
	}
	user := r.User()
	if user.ID == "" {
		return p, nil
	}
	profile, err := store.Profile(r, user.ID)
	p.Viewer = templates.Viewer{SignedIn: true, Name: profile.Name, Role: lms.Role(r.Role())}
	if p.Viewer.Name == "" {
		p.Viewer.Name = user.Login
	}
	return p, err
}

// Language is the one that the reader chose, or the browser asks for.
func Language(r *sdk.Request) string {
	if chosen, ok := templates.MatchLanguage(r.SessionValue(LanguageValue)); ok {
		return chosen
	}
	return r.Language(Tags())
}

// Tags are the tags of the interface's languages.
func Tags() []string {
	tags := make([]string, len(templates.Languages))
	for i, l := range templates.Languages {
		tags[i] = l.Tag
	}
	return tags
}

// Viewer is the reader as the rules of access see them.
func Viewer(r *sdk.Request) lms.Viewer {
	role := lms.Role(r.Role())
	return lms.Viewer{SignedIn: role != "", Role: role}
}

// Notify leaves a notice for the reader's next page: a kind ("success",
// "info", "error"), a key of the message catalogue, and what fills it.
func Notify(r *sdk.Request, kind, message string, args ...string) error {
	return r.Notify(Notice(kind, message, args...))
}

// Notice is the text of a notice, as Notify leaves it.
func Notice(kind, message string, args ...string) string {
	return strings.Join(append([]string{kind, message}, args...), "\t")
}

// notices takes those that Notify left; others are dropped.
func notices(r *sdk.Request) []templates.Notice {
	var list []templates.Notice
	for _, text := range r.Notices() {
		if part := strings.Split(text, "\t"); len(part) >= 2 {
			list = append(list, templates.Notice{Kind: part[0], Message: part[1], Args: part[2:]})
		}
	}
	return list
}
