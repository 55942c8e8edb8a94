package main

import (
	"github.com/lectern-lms/lectern/guest/handlers/page"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
	"github.com/lectern-lms/lectern/templates"
)

// profileForm shows the reader's profile to be changed.
func profileForm(w *sdk.Response, r *sdk.Request) error {
	profile, err := store.Profile(r, r.User().ID)
	if err != nil {
		return err
	}
	return showProfile(w, r, 200, profile, nil)
}

// showProfile makes the page of the profile and its form.
func showProfile(w *sdk.Response, r *sdk.Request, status int, profile lms.Profile, faults map[string]string) error {
	p, err := page.New(r, "profile.title")
	if err != nil {
		return err
	}
	user := r.User()
	enrolments, err := store.Enrolments(r, user.ID)
	if err != nil {
		return err
	}
	return w.Page(status, templates.Profile(p, templates.ProfileView{
		Login: user.Login, Email: user.Email, Profile: profile, Courses: len(enrolments),
		Form: templates.Form{Errors: faults, Values: map[string]string{
			fieldName: profile.Name, fieldBio: profile.Bio, fieldLanguage: profile.Language,
		}},
	}))
}

// byField gives the faults of a profile, which name the parts of the record,
// by the fields of the form.
func byField(faults map[string]string) map[string]string {
	fields := map[string]string{"name": fieldName, "bio": fieldBio, "language": fieldLanguage}
	named := make(map[string]string, len(faults))
	for part, message := range faults {
		named[fields[part]] = message
	}
	return named
}

// saveProfile checks and keeps the form; the chosen language holds at once.
func saveProfile(w *sdk.Response, r *sdk.Request) error {
	user := r.User().ID
	profile, err := store.Profile(r, user)
	if err != nil {
		return err
	}
	for _, field := range []string{fieldName, fieldBio, fieldLanguage} {
		if !r.HasForm(field) {
			return sdk.ErrBadRequest
		}
	}
	profile.Name, profile.Bio, profile.Language = r.Form(fieldName), r.Form(fieldBio), r.Form(fieldLanguage)
	if faults := lms.ValidateProfile(profile, page.Tags()); len(faults) > 0 {
		return showProfile(w, r, 422, profile, byField(faults))
	}
	if err := store.PutProfile(r, user, lms.Clean(profile)); err != nil {
		return err
	}
	if profile.Language == "" {
		err = r.DeleteSessionValue(page.LanguageValue)
	} else {
		err = r.SetSessionValue(page.LanguageValue, profile.Language)
	}
	if err != nil {
		return err
	}
	w.Redirect("/perfil")
	return page.Notify(r, "success", "notice.profile_saved")
}
