//go:build unix

package e2e

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestForms sends forms that lack fields or hold nonsense. Each answer is the
// form again with what is wrong, and nobody is signed in.
func TestForms(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1")
	with := func(field, value string) url.Values {
		f := signUpForm("newcomer")
		f.Set(field, value)
		return f
	}
	const (
		required = "Fill in this field."
		wrong    = "User name and password do not match."
	)
	for _, c := range []struct {
		name, path string
		form       url.Values
		status     int
		says       string
	}{
		{"sign in with nothing", "/user/login", url.Values{}, 401, wrong},
		{"sign in without a password", "/user/login", url.Values{"usuario": {student}}, 401, wrong},
		{"sign in with a wrong password", "/user/login", url.Values{"usuario": {student}, "acceso": {"nonsense"}}, 401, wrong},
		{"sign in as nobody", "/user/login", url.Values{"usuario": {"nobody"}, "acceso": {studentPassword}}, 401, wrong},
		{"sign in with a long password", "/user/login", url.Values{"usuario": {student}, "acceso": {strings.Repeat("x", 5000)}}, 401, wrong},
		{"sign up with nothing", "/user/logon", url.Values{}, 422, required},
		{"sign up without a name", "/user/logon", with("nombre", " "), 422, required},
		{"sign up with a long name", "/user/logon", with("nombre", strings.Repeat("x", 5000)), 422, "This is too long."},
		{"sign up without a login", "/user/logon", with("usuario", ""), 422, required},
		{"sign up with spaces in the login", "/user/logon", with("usuario", "a b"), 422, "Use 1 to 64 letters"},
		{"sign up without an address", "/user/logon", with("correo_electronico", ""), 422, required},
		{"sign up with a bad address", "/user/logon", with("correo_electronico", "rosa at home"), 422, "This is not an e-mail address."},
		{"sign up without a password", "/user/logon", with("acceso", ""), 422, "The password is too short."},
		{"sign up with a short password", "/user/logon", with("acceso", "seven77"), 422, "The password is too short."},
		{"sign up with a common password", "/user/logon", with("acceso", "password123"), 422, "This password is too easy to guess."},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPerson(s)
			a := p.post(t, c.path, c.form)
			if a.status != c.status || !strings.Contains(a.body, c.says) || !strings.Contains(a.body, `action="`+c.path+`"`) {
				t.Errorf("status %d, expected %d with the form and %q", a.status, c.status, c.says)
			}
			if secret := c.form.Get("acceso"); secret != "" && strings.Contains(a.body, `value="`+secret) {
				t.Error("the page repeats the password")
			}
			if p.cookie() != "" {
				t.Error("the answer begins a session")
			}
		})
	}
	p := newPerson(s)
	if a := p.post(t, "/user/login", url.Values{"usuario": {"newcomer"}, "acceso": {"three-unrelated-words"}}); a.status != 401 {
		t.Errorf("a sign-up that was refused has made an account: status %d", a.status)
	}
}

// TestMalformedBodies sends bodies that are no forms, or too large ones.
func TestMalformedBodies(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_MAX_BODY=4KiB", "LMS_DEBUG_ENDPOINTS=1")
	p := newMember(t, s, student, studentPassword)
	const form = "application/x-www-form-urlencoded"
	large := "nombre=Changed&language=&bio=" + strings.Repeat("x", 5000)
	for _, c := range []struct {
		name, kind, body string
		chunked          bool
		status           int
	}{
		{"large", form, large, false, 413},
		{"large, of unknown length", form, large, true, 413},
		{"not a form", "application/json", `{"nombre":"Changed"}`, false, 415},
		{"no kind", "", "nombre=Changed&bio=&language=", false, 415},
		{"bad escape", form, "nombre=Changed%zz&bio=&language=", false, 400},
		{"without fields", form, "nombre=Changed", false, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			var body io.Reader = strings.NewReader(c.body)
			if c.chunked {
				body = io.MultiReader(body) // hides the length
			}
			r, err := http.NewRequest(http.MethodPost, s.url("/perfil"), body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", c.kind)
			a, err := p.do(r)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != c.status || !strings.Contains(a.body, "<h1") {
				t.Errorf("status %d, expected a page with %d", a.status, c.status)
			}
		})
	}
	if page := p.get(t, "/perfil").body; strings.Contains(page, "Changed") || !strings.Contains(page, "Amina Okafor") {
		t.Error("a request that was refused has changed the profile")
	}
}

// TestOtherSites sends what a page of another site could make a browser send.
func TestOtherSites(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1")
	p := newMember(t, s, student, studentPassword)
	p.get(t, "/home/panel") // takes the notice, which else goes with the first page
	for _, header := range []map[string]string{
		{"Sec-Fetch-Site": "cross-site"},
		{"Sec-Fetch-Site": "same-site"},
		{"Origin": "https://evil.example"},
		{"Origin": "null"},
	} {
		for _, path := range []string{"/user/logout", "/course/edge/enroll", "/perfil", "/user/language"} {
			a, err := p.send(http.MethodPost, path, url.Values{"lang": {"es"}, "nombre": {"X"}, "bio": {""}, "language": {"es"}}, header)
			if err != nil {
				t.Fatal(err)
			}
			if a.status != http.StatusForbidden || len(a.header.Values("Set-Cookie")) > 0 {
				t.Errorf("POST %s with %v: status %d, expected 403 without a cookie", path, header, a.status)
			}
		}
	}
	p.isKnownAs(t, student)
	if isEnrolled(t, p, "edge") {
		t.Error("a form of another site has enrolled the person")
	}
	a, err := p.send(http.MethodPost, "/course/edge/enroll", url.Values{}, map[string]string{"Sec-Fetch-Site": "same-origin", "Origin": s.url("")})
	if err != nil || a.status != http.StatusSeeOther {
		t.Errorf("a form of this site: status %d, error %v", a.status, err)
	}
}
