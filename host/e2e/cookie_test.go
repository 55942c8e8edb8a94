//go:build unix

package e2e

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// signedCookie makes a cookie as the site does (the layout is in the comment
// of package session) for a session that does not exist.
func signedCookie(key []byte, name string) string {
	mac := func(key []byte, parts ...[]byte) []byte {
		h := hmac.New(sha256.New, key)
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	body := make([]byte, 41)
	_, _ = rand.Read(body) // it never fails
	body[0] = 1
	copy(body[33:], []byte{0, 0, 0, 0, 0, 0, 0, 1})
	sum := mac(mac(key, []byte("lectern session cookie v1")), []byte(name), []byte{0}, body)
	return base64.RawURLEncoding.EncodeToString(append(body, sum...))
}

// flip changes one character of a cookie to another of the same alphabet.
func flip(cookie string, at int) string {
	other := "A"
	if cookie[at] == 'A' {
		other = "B"
	}
	return cookie[:at] + other + cookie[at+1:]
}

// TestBadCookies sends cookies that are not, or no longer, those of a session.
// Each bearer is a visitor who gets the page, and no cookie is adopted.
func TestBadCookies(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1")
	p := newMember(t, s, student, studentPassword)
	good := p.cookie()

	gone := newMember(t, s, teacher, teacherPassword)
	ended := gone.cookie()
	if a := gone.post(t, "/user/logout", nil); a.status != http.StatusSeeOther {
		t.Fatalf("sign-out: status %d", a.status)
	}
	cases := map[string]string{
		"empty":               "",
		"word":                "admin",
		"first bit":           flip(good, 0),
		"id":                  flip(good, 20),
		"revision":            flip(good, 50),
		"signature":           flip(good, 80),
		"truncated":           good[:len(good)-1],
		"half":                good[:len(good)/2],
		"longer":              good + "A",
		"twice":               good + good,
		"oversized":           strings.Repeat(good, 80),
		"padded":              good + "==",
		"quoted":              `"` + good + `x"`,
		"signed out":          ended,
		"unknown session":     signedCookie(s.secretKey(), "session"),
		"of the secure name":  signedCookie(s.secretKey(), "__Host-session"),
		"of a visitor":        signedCookie(s.secretKey(), "visitor"),
		"signed by stranger":  signedCookie([]byte("another site's key, 32 characters"), "session"),
		"not in the alphabet": strings.Repeat("é", 49),
	}
	for name, value := range cases {
		t.Run(name, func(t *testing.T) {
			isVisitor(t, bearer(s, value), "/home")
			bearer(s, value).isKnownAs(t, "")
			a := bearer(s, value).get(t, "/home/panel")
			if a.status != http.StatusSeeOther || !strings.HasPrefix(a.header.Get("Location"), "/user/login") {
				t.Errorf("/home/panel: status %d, location %q", a.status, a.header.Get("Location"))
			}
		})
	}
	bearer(s, good).isKnownAs(t, student)
	if a := bearer(s, strings.Repeat("A", 64<<10)).get(t, "/home"); a.status != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("a cookie of 64 KiB: status %d, expected 431", a.status)
	}
}

// isVisitor fails the test if a page is not the one that visitors get.
func isVisitor(t *testing.T, p *person, path string) {
	t.Helper()
	a := p.get(t, path)
	if a.status != http.StatusOK || !strings.Contains(a.body, `href="/user/login"`) || strings.Contains(a.body, "/user/logout") {
		t.Errorf("GET %s: status %d, not the page of a visitor", path, a.status)
	}
	if c := a.header.Values("Set-Cookie"); len(c) > 0 {
		t.Errorf("GET %s sets a cookie", path)
	}
}

// TestKeysRotate changes the key that signs cookies: with the old key among
// the fallbacks people stay signed in and get a new cookie, without it none of
// its cookies is worth anything.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	const first, second = "the-first-key-of-this-site-0123456789", "the-second-key-of-this-site-0123456789"
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1", "SECRET_KEY="+first)
	p := newMember(t, s, student, studentPassword)
	old := p.cookie()
	s.terminate()

	s.start("SECRET_KEY="+second, "SECRET_KEY_FALLBACKS="+first)
	p.isKnownAs(t, student)
	p.get(t, "/home/panel")
	if p.cookie() == old {
		t.Error("a cookie of the old key was not replaced by one of the new key")
	}
	s.terminate()

	s.start("SECRET_KEY=" + second)
	p.isKnownAs(t, student)
	isVisitor(t, bearer(s, old), "/home")
}

// TestSessionChangesAtSignIn checks that the cookie of before is worth
// nothing afterwards: a planted session cannot become somebody's.
func TestSessionChangesAtSignIn(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=1")
	p := newPerson(s)
	p.post(t, "/user/language", url.Values{"lang": {"es"}, "return": {"/home"}})
	planted := p.named("visitor")
	if planted == "" {
		t.Fatal("choosing a language began no session")
	}
	a := p.post(t, "/user/login", url.Values{"usuario": {student}, "acceso": {studentPassword}})
	if a.status != http.StatusSeeOther || p.cookie() == planted {
		t.Fatalf("sign-in: status %d, the same cookie: %v", a.status, p.cookie() == planted)
	}
	// The first 44 characters hold the version and the id.
	if p.cookie()[:44] == planted[:44] {
		t.Error("the session has kept its id at sign-in")
	}
	if p.named("visitor") != "" {
		t.Error("the visitor's cookie is still there")
	}
	p.isKnownAs(t, student)
	for _, name := range []string{"session", "visitor"} {
		thief := bearer(s, "")
		thief.header["Cookie"] = name + "=" + planted
		thief.isKnownAs(t, "")
	}
	if a := p.get(t, "/home/panel"); !strings.Contains(a.body, `<html lang="es">`) {
		t.Error("the language that was chosen before sign-in is lost")
	}
}
