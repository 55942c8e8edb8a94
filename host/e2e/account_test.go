//go:build unix

package e2e

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestSignUp makes an account: the person is signed in at once, the profile is
// there, and nobody else can take the name.
func TestSignUp(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1")
	p := newPerson(s)
	form := signUpForm("rosa")
	form.Set("nombre", "Rosa Díaz")
	form.Set("next", "/course/edge/view")
	a := p.post(t, "/user/logon", form)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/course/edge/view" {
		t.Fatalf("sign-up: status %d, location %q", a.status, a.header.Get("Location"))
	}
	p.isKnownAs(t, "rosa")
	page := p.get(t, "/perfil").body
	for _, want := range []string{"Rosa Díaz", "rosa@example.org", "Student"} {
		if !strings.Contains(page, want) {
			t.Errorf("the profile does not show %q", want)
		}
	}
	a = p.post(t, "/perfil", url.Values{"nombre": {"Rosa D."}, "bio": {"Reads at night."}, "language": {"es"}})
	if a.status != http.StatusSeeOther {
		t.Fatalf("saving the profile: status %d", a.status)
	}
	if page := p.get(t, "/perfil").body; !strings.Contains(page, "Reads at night.") || !strings.Contains(page, `<html lang="es">`) {
		t.Error("the profile was not saved")
	}
	again := newPerson(s)
	for field, value := range map[string]string{"usuario": "ROSA", "correo_electronico": "Rosa@Example.org"} {
		form := signUpForm("other")
		form.Set(field, value)
		if a := again.post(t, "/user/logon", form); a.status != http.StatusConflict {
			t.Errorf("sign-up with the %s of another: status %d, expected 409", field, a.status)
		}
	}
	again.isKnownAs(t, "")
	newMember(t, s, "rosa@example.org", "three-unrelated-words").isKnownAs(t, "rosa")
}

// TestSignOutEndsTheSessionEverywhere signs out and then shows the old cookie
// to all workers at once.
func TestSignOutEndsTheSessionEverywhere(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1")
	p := newMember(t, s, student, studentPassword)
	bystander := newMember(t, s, teacher, teacherPassword)
	old := p.cookie()
	askAll(t, s, old, student)
	a := p.post(t, "/user/logout", nil)
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/home" {
		t.Fatalf("sign-out: status %d, location %q", a.status, a.header.Get("Location"))
	}
	askAll(t, s, old, "")
	p.isKnownAs(t, "")
	bystander.isKnownAs(t, teacher)
}

// askAll sends a cookie with 20 requests at once, each on a connection of its
// own, and fails the test if one of them is taken for somebody else.
func askAll(t *testing.T, s *site, cookie, name string) {
	t.Helper()
	var asking sync.WaitGroup
	var pids sync.Map
	for range 20 {
		asking.Go(func() {
			r, err := bearer(s, cookie).whoami()
			if err != nil || r.name() != name {
				t.Errorf("process %d takes the bearer for %q (error %v), expected %q", r.Worker.PID, r.name(), err, name)
			}
			pids.Store(r.Worker.PID, true)
		})
	}
	asking.Wait()
	n := 0
	pids.Range(func(any, any) bool { n++; return true })
	if n < 2 {
		t.Errorf("%d process answered 20 requests at once, expected at least 2 of 3", n)
	}
}

// TestOwnPagesAreNotStored checks that pages of a signed-in person stay out of
// every cache, and that those of visitors are not shared as someone's own.
func TestOwnPagesAreNotStored(t *testing.T) {
	t.Parallel()
	s := startSite(t)
	p := newMember(t, s, student, studentPassword)
	enrol(t, p, "edge")
	paths, _ := lessons(t, p, "edge")
	for _, path := range append([]string{"/home", "/course/explore", "/course/edge/view", "/course/edge/take", "/home/panel", "/perfil", "/no/such/page"}, paths[0]) {
		if c := p.get(t, path).header.Get("Cache-Control"); !strings.Contains(c, "no-store") {
			t.Errorf("GET %s when signed in: Cache-Control %q, expected no-store", path, c)
		}
	}
	for _, path := range []string{"/home", "/course/explore", "/user/login"} {
		if c := newPerson(s).get(t, path).header.Get("Cache-Control"); !strings.Contains(c, "no-cache") || strings.Contains(c, "public") {
			t.Errorf("GET %s as a visitor: Cache-Control %q", path, c)
		}
	}
	a := p.post(t, "/user/logout", nil)
	if got := a.header.Get("Clear-Site-Data"); got != `"cache"` {
		t.Errorf("sign-out: Clear-Site-Data %q", got)
	}
}
