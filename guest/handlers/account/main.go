// Command account is the handler of signing in, up and out, the profile, and
// the choice of language. It never sees a password: the host reads that from
// the form itself.
package main

import (
	"slices"
	"strconv"
	"time"

	"github.com/lectern-lms/lectern/guest/handlers/page"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/guest/store"
	"github.com/lectern-lms/lectern/templates"
)

// The names of the form fields, which are NOW LMS's.
const (
	fieldLogin    = "usuario"
	fieldPassword = "acceso"
	fieldEmail    = "correo_electronico"
	fieldName     = "nombre"
	fieldBio      = "bio"
	fieldLanguage = "language"
	fieldNext     = "next"
	fieldRemember = "remember"
	fieldNew      = "acceso_nuevo"
	fieldDevice   = "device"
)

// afterSignIn is where people go who asked for no page in particular.
const afterSignIn = "/home/panel"

// init registers the routes of the manifest.
func init() {
	sdk.Handle("GET /user/login", signInForm)
	sdk.Handle("POST /user/login", signIn)
	sdk.Handle("POST /user/logout", signOut)
	sdk.Handle("GET /user/logon", signUpForm)
	sdk.Handle("POST /user/logon", signUp)
	sdk.Handle("GET /perfil", profileForm)
	sdk.Handle("POST /perfil", saveProfile)
	sdk.Handle("POST /user/language", chooseLanguage)
	sdk.Handle("GET /user/password", passwordForm)
	sdk.Handle("POST /user/password", setPassword)
	sdk.Handle("GET /user/devices", devices)
	sdk.Handle("POST /user/devices/end", endDevice)
	sdk.Handle("POST /user/devices/others", endOthers)
}

// main is never run: the host calls the functions that init registers.
func main() {}

// next is the page that the reader wanted before signing in.
func next(r *sdk.Request) string {
	wanted := r.Query(fieldNext)
	if r.Method() == "POST" {
		wanted = r.Form(fieldNext)
	}
	return sdk.LocalPath(wanted, "")
}

// afterwards is where to go once signed in.
func afterwards(r *sdk.Request) string {
	if path := next(r); path != "" {
		return path
	}
	return afterSignIn
}

// signInForm is the page to sign in; whoever is signed in goes on.
func signInForm(w *sdk.Response, r *sdk.Request) error {
	if r.SignedIn() {
		w.Redirect(afterwards(r))
		return nil
	}
	return showSignIn(w, r, 200, templates.Form{})
}

// showSignIn makes the page of the sign-in form.
func showSignIn(w *sdk.Response, r *sdk.Request, status int, f templates.Form) error {
	p, err := page.New(r, "sign_in.title")
	if err != nil {
		return err
	}
	days, _ := strconv.Atoi(r.Setting(sdk.SettingRememberDays)) // "" is 0: not offered
	return w.Page(status, templates.SignIn(p, templates.SignInView{Next: next(r), RememberDays: days, Form: f}))
}

// signIn checks the form with the host. What was wrong is not told apart.
func signIn(w *sdk.Response, r *sdk.Request) error {
	outcome, wait, err := r.SignIn(fieldLogin, fieldPassword)
	if err != nil {
		return err
	}
	if outcome != sdk.OutcomeOK {
		f := templates.Form{Values: values(r, fieldLogin, fieldRemember), Errors: map[string]string{"": outcomeMessage(outcome)}}
		f.Wait = retryAfter(w, wait)
		return showSignIn(w, r, outcomeStatus(outcome), f)
	}
	if r.Form(fieldRemember) != "" {
		if _, err := r.Remember(theftNotice); err != nil {
			return err
		}
	}
	profile, err := store.Profile(r, r.User().ID)
	if err != nil {
		return err
	}
	if profile.Language != "" {
		if err := r.SetSessionValue(page.LanguageValue, profile.Language); err != nil {
			return err
		}
	}
	w.Redirect(afterwards(r))
	return page.Notify(r, "success", "notice.signed_in")
}

// theftNotice is what a person reads whose remembered sign-in was stolen.
var theftNotice = page.Notice("error", "notice.theft")

// retryAfter tells clients for how long to wait, and gives it in seconds.
func retryAfter(w *sdk.Response, wait time.Duration) int {
	seconds := int(wait / time.Second)
	if seconds > 0 {
		w.Header("Retry-After", strconv.Itoa(seconds))
	}
	return seconds
}

// signOut ends the session.
func signOut(w *sdk.Response, r *sdk.Request) error {
	lang := r.SessionValue(page.LanguageValue)
	if err := r.SignOut(); err != nil {
		return err
	}
	return signedOut(w, r, lang)
}

// signedOut answers whoever has just signed out, in the language of before.
func signedOut(w *sdk.Response, r *sdk.Request, lang string) error {
	w.Header("Clear-Site-Data", `"cache"`)
	w.Redirect("/home")
	if lang != "" {
		if err := r.SetSessionValue(page.LanguageValue, lang); err != nil {
			return err
		}
	}
	return page.Notify(r, "info", "notice.signed_out")
}

// signUpForm is the page to register.
func signUpForm(w *sdk.Response, r *sdk.Request) error {
	if r.SignedIn() {
		w.Redirect(afterwards(r))
		return nil
	}
	return showSignUp(w, r, 200, templates.Form{})
}

// showSignUp makes the page of the sign-up form.
func showSignUp(w *sdk.Response, r *sdk.Request, status int, f templates.Form) error {
	p, err := page.New(r, "sign_up.title")
	if err != nil {
		return err
	}
	return w.Page(status, templates.SignUp(p, templates.SignUpView{Next: next(r), Form: f}))
}

// signUp makes the account with its profile and signs it in, all at once.
func signUp(w *sdk.Response, r *sdk.Request) error {
	f := templates.Form{Values: values(r, fieldLogin, fieldName, fieldEmail), Errors: map[string]string{}}
	profile := lms.Clean(lms.Profile{Name: r.Form(fieldName), Joined: r.Now()})
	if fault := lms.ValidateProfile(profile, page.Tags())["name"]; fault != "" {
		f.Errors[fieldName] = fault
	}
	if f.Values[fieldLogin] == "" {
		f.Errors[fieldLogin] = lms.MessageRequired
	}
	if f.Values[fieldEmail] == "" {
		f.Errors[fieldEmail] = lms.MessageRequired
	}
	if len(f.Errors) > 0 {
		return showSignUp(w, r, 422, f)
	}
	outcome, user, err := r.SignUp(fieldLogin, fieldEmail, fieldPassword, string(lms.RoleStudent))
	if err != nil {
		return err
	}
	if outcome != sdk.OutcomeOK {
		f.Errors[outcomeField(outcome)] = outcomeMessage(outcome)
		return showSignUp(w, r, outcomeStatus(outcome), f)
	}
	if err := store.PutProfile(r, user, profile); err != nil {
		return err
	}
	w.Redirect(afterwards(r))
	return page.Notify(r, "success", "notice.welcome")
}

// chooseLanguage keeps the language of the footer's form in the session.
func chooseLanguage(w *sdk.Response, r *sdk.Request) error {
	if lang := r.Form("lang"); slices.Contains(page.Tags(), lang) {
		if err := r.SetSessionValue(page.LanguageValue, lang); err != nil {
			return err
		}
	}
	w.Redirect(sdk.LocalPath(r.Form("return"), "/home"))
	return nil
}

// values gives what was typed into fields, so that it need not be typed again.
func values(r *sdk.Request, fields ...string) map[string]string {
	typed := make(map[string]string, len(fields))
	for _, f := range fields {
		typed[f] = r.Form(f)
	}
	return typed
}
