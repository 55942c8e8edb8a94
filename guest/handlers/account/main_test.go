package main

import (
	"net/url"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/guest/handlers/page/pagetest"
	"github.com/lectern-lms/lectern/guest/lms"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// credentials is the sign-in form of a login with a password.
func credentials(login, password string) url.Values {
	return url.Values{fieldLogin: {login}, fieldPassword: {password}}
}

// TestSignInForm shows the form to visitors and sends others on.
func TestSignInForm(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	pagetest.Shows(t, f.Serve("GET", "/user/login?next=/course/open/take", nil), 200, `action="/user/login"`, `name="usuario"`, `name="acceso"`, `value="/course/open/take"`)
	pagetest.Shows(t, f.Serve("GET", "/user/logon", nil), 200, `action="/user/logon"`, `name="correo_electronico"`)
	f.SignIn("student")
	pagetest.Leads(t, f.Serve("GET", "/user/login", nil), "/home/panel")
	pagetest.Leads(t, f.Serve("GET", "/user/login?next=/perfil", nil), "/perfil")
	pagetest.Leads(t, f.Serve("GET", "/user/logon", nil), "/home/panel")
}

// TestSignIn goes on to the page that was asked for, if it is one of ours.
func TestSignIn(t *testing.T) {
	t.Parallel()
	for next, want := range map[string]string{
		"": "/home/panel", "/course/open/take?x=1": "/course/open/take?x=1", "//evil.example": "/home/panel",
		"https://evil.example/": "/home/panel", `/\evil.example`: "/home/panel", "javascript:alert(1)": "/home/panel",
	} {
		f := pagetest.New(t)
		form := credentials("student", pagetest.Password)
		form.Set(fieldNext, next)
		a := f.Serve("POST", "/user/login?next=/elsewhere", form)
		pagetest.Leads(t, a, want)
		if f.User.Login != "student" || len(f.Notices) != 1 || f.Notices[0] != "success\tnotice.signed_in" {
			t.Errorf("reader %q, notices %q", f.User.Login, f.Notices)
		}
	}
}

// TestSignInRefuses says the same whatever was wrong, and keeps the login.
func TestSignInRefuses(t *testing.T) {
	t.Parallel()
	var bodies []string
	for _, form := range []url.Values{credentials("student", "wrong"), credentials("student", ""), {}, credentials("nobody", pagetest.Password)} {
		f := pagetest.New(t)
		a := f.Serve("POST", "/user/login", form)
		pagetest.Shows(t, a, 401, "do not match", "!"+pagetest.Password, "!wrong\"")
		bodies = append(bodies, strings.ReplaceAll(a.Body, `value="`+form.Get(fieldLogin)+`"`, ""))
		if f.User.ID != "" || len(f.Notices) != 0 {
			t.Errorf("%v: signed in as %q", form, f.User.Login)
		}
	}
	if bodies[0] != bodies[3] {
		t.Error("the page tells an unknown login from a wrong password")
	}
	a := pagetest.New(t).Serve("POST", "/user/login", credentials("student", "wrong"))
	pagetest.Shows(t, a, 401, `value="student"`)
}

// TestSignInReportsEveryOutcome has a message and a status for each.
func TestSignInReportsEveryOutcome(t *testing.T) {
	t.Parallel()
	for outcome := sdk.OutcomeWrong; outcome <= sdk.OutcomeThrottled; outcome++ {
		f := pagetest.New(t)
		f.Outcome = outcome
		pagetest.Shows(t, f.Serve("POST", "/user/login", credentials("student", pagetest.Password)), outcomeStatus(outcome), `role="alert"`, "!form.", "!error.")
	}
}

// TestSignInTakesTheProfilesLanguage puts it into the session.
func TestSignInTakesTheProfilesLanguage(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	pagetest.Put(t, f, "profile/id-student", lms.Profile{Name: "S", Language: "pt-BR"})
	f.Serve("POST", "/user/login", credentials("student", pagetest.Password))
	if f.Session["lang"] != "pt-BR" {
		t.Errorf("session %v", f.Session)
	}
}

// TestSignOut ends the session, keeps the language, and clears the cache.
func TestSignOut(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t).SignIn("student")
	f.Session = map[string]string{"lang": "es", "other": "value"}
	a := f.Serve("POST", "/user/logout", nil)
	pagetest.Leads(t, a, "/home")
	if f.User.ID != "" || len(f.Session) != 1 || f.Session["lang"] != "es" || a.Header.Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("reader %q, session %v, headers %v", f.User.ID, f.Session, a.Header)
	}
	if a := f.Serve("GET", "/user/logout", nil); a.Status != 405 {
		t.Errorf("sign-out by GET: %d", a.Status)
	}
	pagetest.Leads(t, f.Serve("POST", "/user/logout", nil), "/home")
}

// registration is a sign-up form without fault.
func registration() url.Values {
	return url.Values{
		fieldLogin: {"bob"}, fieldName: {"  Bob  Newton "}, fieldEmail: {"bob@example.org"}, fieldPassword: {"long enough word"},
		fieldNext: {"/course/open/view"},
	}
}

// TestSignUp makes the account and its profile and signs it in.
func TestSignUp(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	pagetest.Leads(t, f.Serve("POST", "/user/logon", registration()), "/course/open/view")
	if f.User.Login != "bob" || f.Role != "student" || len(f.Accounts) != 4 {
		t.Errorf("signed in as %+v with the role %q", f.User, f.Role)
	}
	p := pagetest.Get[lms.Profile](t, f, "profile/"+f.User.ID)
	if p.Name != "Bob Newton" || !p.Joined.Equal(f.Now) {
		t.Errorf("profile %+v", p)
	}
}

// TestSignUpFaults names the field and keeps what was typed but the password.
func TestSignUpFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		field, value string
		status       int
		texts        []string
	}{
		{fieldLogin, "", 422, []string{"#f-usuario"}},
		{fieldLogin, "student", 409, []string{"#f-usuario", "taken"}},
		{fieldLogin, "<b>", 422, []string{"#f-usuario"}},
		{fieldEmail, "", 422, []string{"#f-correo_electronico"}},
		{fieldEmail, "nonsense", 422, []string{"#f-correo_electronico"}},
		{fieldEmail, "student@example.org", 409, []string{"#f-correo_electronico"}},
		{fieldName, " ", 422, []string{"#f-nombre"}},
		{fieldName, strings.Repeat("n", 81), 422, []string{"#f-nombre"}},
		{fieldPassword, "short", 422, []string{"#f-acceso", "at least 8"}},
		{fieldPassword, "", 422, []string{"#f-acceso"}},
		{fieldPassword, strings.Repeat("p", 1001), 422, []string{"#f-acceso"}},
	}
	for _, tt := range tests {
		f, form := pagetest.New(t), registration()
		form.Set(tt.field, tt.value)
		a := f.Serve("POST", "/user/logon", form)
		pagetest.Shows(t, a, tt.status, append(tt.texts, "!long enough word", `role="alert"`)...)
		if f.User.ID != "" || len(f.Accounts) != 3 || len(a.Written) != 0 {
			t.Errorf("%s=%.20q: an account was made", tt.field, tt.value)
		}
		if tt.field != fieldEmail && !strings.Contains(a.Body, `value="bob@example.org"`) {
			t.Errorf("%s=%.20q: the e-mail address must be typed again", tt.field, tt.value)
		}
	}
	pagetest.Shows(t, pagetest.New(t).Serve("POST", "/user/logon", nil), 422, "#f-usuario", "#f-nombre", "#f-correo_electronico")
}

// profile is a profile form.
func profile(name, bio, language string) url.Values {
	return url.Values{fieldName: {name}, fieldBio: {bio}, fieldLanguage: {language}}
}

// TestProfile is shown, changed and cleaned.
func TestProfile(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t).SignIn("student")
	pagetest.Put(t, f, "profile/id-student", lms.Profile{Name: "Sam", Joined: f.Now})
	pagetest.Put(t, f, "enrolment/id-student/open", lms.Enrolment{Course: "open"})
	pagetest.Shows(t, f.Serve("GET", "/perfil", nil), 200, `value="Sam"`, "student@example.org", "1 course")
	pagetest.Leads(t, f.Serve("POST", "/perfil", profile(" Sam\u202e\x00 Smith ", "a\r\nb", "es")), "/perfil")
	p := pagetest.Get[lms.Profile](t, f, "profile/id-student")
	if p.Name != "Sam Smith" || p.Bio != "a\nb" || p.Language != "es" || !p.Joined.Equal(f.Now) || f.Session["lang"] != "es" {
		t.Errorf("profile %+v, session %v", p, f.Session)
	}
	f.Serve("POST", "/perfil", profile("Sam", "", ""))
	if _, ok := f.Session["lang"]; ok {
		t.Error("the language of the browser was asked for, and the session keeps another")
	}
	if _, ok := f.Records["profile/id-other"]; ok {
		t.Error("another person's profile was written")
	}
}

// TestProfileLimits takes the longest texts and refuses longer ones.
func TestProfileLimits(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t).SignIn("student")
	pagetest.Leads(t, f.Serve("POST", "/perfil", profile(strings.Repeat("é", lms.MaxNameRunes), strings.Repeat("b", lms.MaxBioRunes), "")), "/perfil")
	for _, form := range []url.Values{
		profile("", "", ""), profile(strings.Repeat("é", lms.MaxNameRunes+1), "", ""),
		profile("n", strings.Repeat("b", lms.MaxBioRunes+1), ""), profile("n", "", "tlh"),
	} {
		a := f.Serve("POST", "/perfil", form)
		pagetest.Shows(t, a, 422, `aria-invalid="true"`)
		if len(a.Written) != 0 {
			t.Errorf("a form with a fault was written: %v", a.Written)
		}
	}
	for _, field := range []string{fieldName, fieldBio, fieldLanguage} {
		form := profile("n", "b", "es")
		form.Del(field)
		pagetest.Fails(t, f.Serve("POST", "/perfil", form), 400)
	}
	pagetest.Fails(t, f.ServeBody("POST", "/perfil", "application/json", `{"nombre":"n"}`), 415)
	if a := pagetest.New(t).Serve("POST", "/perfil", profile("n", "b", "")); a.Status != 303 || len(a.Written) != 0 {
		t.Errorf("a visitor's profile: %d %v", a.Status, a.Written)
	}
}

// TestLanguage keeps a language that there is and goes back to the page.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ lang, back, kept, want string }{
		{"es", "/course/explore?q=a", "es", "/course/explore?q=a"}, {"tlh", "/home", "", "/home"},
		{"", "", "", "/home"}, {"en", "//evil.example", "en", "/home"},
	} {
		f := pagetest.New(t)
		pagetest.Leads(t, f.Serve("POST", "/user/language", url.Values{"lang": {tt.lang}, "return": {tt.back}}), tt.want)
		if f.Session["lang"] != tt.kept {
			t.Errorf("%q: session %v", tt.lang, f.Session)
		}
	}
}

// TestHostileTextIsEscaped sends scripts in every field.
func TestHostileTextIsEscaped(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	pagetest.Escaped(t, f.Serve("POST", "/user/login", url.Values{fieldLogin: {pagetest.Hostile}, fieldNext: {"/" + pagetest.Hostile}}))
	pagetest.Escaped(t, f.Serve("GET", "/user/login?next="+url.QueryEscape("/"+pagetest.Hostile), nil))
	pagetest.Escaped(t, f.Serve("POST", "/user/logon", url.Values{fieldLogin: {pagetest.Hostile}, fieldName: {pagetest.Hostile}, fieldEmail: {pagetest.Hostile}}))
	f.SignIn("student")
	pagetest.Escaped(t, f.Serve("POST", "/perfil", profile(strings.Repeat(pagetest.Hostile, 9), pagetest.Hostile, pagetest.Hostile)))
	pagetest.Put(t, f, "profile/id-student", lms.Profile{Name: pagetest.Hostile, Bio: pagetest.Hostile})
	f.User = sdk.User{ID: "id-student", Login: pagetest.Hostile, Email: pagetest.Hostile}
	pagetest.Escaped(t, f.Serve("GET", "/perfil", nil))
}
