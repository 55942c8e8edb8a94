//go:build unix

package e2e

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// remembered is a person who has signed in and asked to stay signed in.
func remembered(t *testing.T, s *site, login, password string) *person {
	t.Helper()
	p := newPerson(s)
	a := p.post(t, "/user/login", url.Values{"usuario": {login}, "acceso": {password}, "remember": {"1"}})
	if a.status != http.StatusSeeOther || p.named("remember") == "" {
		t.Fatalf("sign-in: status %d, remember cookie %q", a.status, p.named("remember"))
	}
	return p
}

// closeBrowser drops the cookies that have no lifetime, as a browser does.
func (p *person) closeBrowser() {
	u, _ := url.Parse(p.site.url("/"))
	kept := []*http.Cookie{{Name: "remember", Value: p.named("remember"), Path: "/"}, {Name: "device", Value: p.named("device"), Path: "/"}}
	p.http.Jar, _ = cookiejar.New(nil)
	p.http.Jar.SetCookies(u, kept)
}

// TestRememberedDevices closes the browser, restarts the site, and is still
// signed in; the others are not.
func TestRememberedDevices(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1")
	p, forgetful := remembered(t, s, student, studentPassword), newMember(t, s, teacher, teacherPassword)
	for range 3 {
		p.closeBrowser()
		forgetful.closeBrowser()
		token := p.named("remember")
		if a := p.get(t, "/home/panel"); a.status != http.StatusOK || p.cookie() == "" || p.named("remember") == token {
			t.Fatalf("after closing the browser: status %d, token renewed %v", a.status, p.named("remember") != token)
		}
		p.isKnownAs(t, student)
		forgetful.isKnownAs(t, "")
	}
	s.terminate()
	s.start()
	p.closeBrowser()
	p.get(t, "/home/panel")
	p.isKnownAs(t, student)

	// A copy of a token that was used ends all of it.
	p.closeBrowser()
	thief := newPerson(s)
	thief.http.Jar = nil
	thief.header["Cookie"] = "remember=" + p.named("remember")
	other := remembered(t, s, student, studentPassword)
	p.get(t, "/home/panel")
	p.closeBrowser()
	p.get(t, "/home/panel") // Two uses on, the thief's copy is history.
	thief.isKnownAs(t, "")
	other.isKnownAs(t, "")
	p.isKnownAs(t, "")
	again := p.post(t, "/user/login", url.Values{"usuario": {student}, "acceso": {studentPassword}})
	if again.status != http.StatusSeeOther || !strings.Contains(p.get(t, "/home/panel").body, "was copied and used twice") {
		t.Errorf("sign-in after the theft: status %d, without the notice", again.status)
	}
}

// TestDevicesPage ends one device and then all others, asked on all workers.
func TestDevicesPage(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1")
	here, phone, office := newMember(t, s, student, studentPassword), newPerson(s), remembered(t, s, student, studentPassword)
	phone.header["User-Agent"] = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
	phone.post(t, "/user/login", url.Values{"usuario": {student}, "acceso": {studentPassword}})
	page := here.get(t, "/user/devices").body
	i := strings.Index(page, "Safari on iOS")
	if i < 0 || strings.Count(page, `class="device"`) != 3 {
		t.Fatalf("the page does not show three devices with the telephone:\n%s", page)
	}
	ids := links(page[i:], `name="device" value="([^"]+)"`)
	old := phone.cookie()
	if a := here.post(t, "/user/devices/end", url.Values{"device": {ids[0]}}); a.status != http.StatusSeeOther {
		t.Fatalf("ending a device: status %d", a.status)
	}
	askAll(t, s, old, "")
	office.isKnownAs(t, student)
	old = office.cookie()
	if a := here.post(t, "/user/devices/others", url.Values{}); a.status != http.StatusSeeOther {
		t.Fatalf("ending the others: status %d", a.status)
	}
	askAll(t, s, old, "")
	office.closeBrowser()
	office.isKnownAs(t, "")
	here.isKnownAs(t, student)
	if page := here.get(t, "/user/devices").body; strings.Count(page, `class="device"`) != 1 {
		t.Errorf("the page still shows others:\n%s", page)
	}
}

// TestPasswordChange ends every other session on every worker before it is
// answered, and the old password.
func TestPasswordChange(t *testing.T) {
	t.Parallel()
	const next = "three-more-unrelated-words"
	s := startSite(t, "LMS_WORKERS=3", "LMS_DEBUG_ENDPOINTS=1")
	here, office := remembered(t, s, student, studentPassword), remembered(t, s, student, studentPassword)
	old, before := office.cookie(), here.cookie()
	for name, form := range map[string]url.Values{
		"wrong":  {"acceso": {"wrong"}, "acceso_nuevo": {next}},
		"common": {"acceso": {studentPassword}, "acceso_nuevo": {"iloveyou2"}},
		"short":  {"acceso": {studentPassword}, "acceso_nuevo": {"short"}},
	} {
		a := here.post(t, "/user/password", form)
		if a.status != http.StatusUnprocessableEntity || strings.Contains(a.body, next) {
			t.Errorf("%s: status %d", name, a.status)
		}
	}
	if a := here.post(t, "/user/password", url.Values{"acceso": {studentPassword}, "acceso_nuevo": {next}}); a.status != http.StatusSeeOther {
		t.Fatalf("status %d", a.status)
	}
	askAll(t, s, old, "")
	askAll(t, s, before, "")
	office.closeBrowser()
	office.isKnownAs(t, "")
	here.isKnownAs(t, student)
	here.closeBrowser()
	here.get(t, "/home/panel")
	here.isKnownAs(t, student)
	if a := newPerson(s).post(t, "/user/login", url.Values{"usuario": {student}, "acceso": {studentPassword}}); a.status != http.StatusUnauthorized {
		t.Errorf("the old password: status %d", a.status)
	}
	newMember(t, s, student, next)
}

// TestTooManyAttempts limits them on all workers together, says how long to
// wait, goes by the address behind a trusted proxy, and lets a known device in.
func TestTooManyAttempts(t *testing.T) {
	t.Parallel()
	s := startSite(t, "LMS_WORKERS=3", "LMS_TRUSTED_PROXY=127.0.0.1", "LMS_DEBUG_ENDPOINTS=1")
	home := newMember(t, s, student, studentPassword)
	device := home.named("device")
	try := func(address, device, password string) answer {
		p := newPerson(s)
		p.header["X-Forwarded-For"], p.header["Cookie"] = address, "device="+device
		return p.post(t, "/user/login", url.Values{"usuario": {student}, "acceso": {password}})
	}
	looked := 0
	for range 30 {
		a := try("203.0.113.1", "", "wrong")
		if a.status == http.StatusUnauthorized {
			looked++
			continue
		}
		seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
		if a.status != http.StatusTooManyRequests || err != nil || seconds < 1 || seconds > 60 || !strings.Contains(a.body, "Wait "+strconv.Itoa(seconds)) {
			t.Fatalf("status %d, Retry-After %q", a.status, a.header.Get("Retry-After"))
		}
	}
	// One attempt of each worker may be under way when another is counted.
	if looked < 5 || looked > 8 {
		t.Errorf("%d passwords were looked at, expected about 5", looked)
	}
	for _, tt := range []struct {
		name, address, device string
		status                int
	}{
		{"the right password from there", "203.0.113.1", "", http.StatusTooManyRequests},
		{"the owner's device there", "203.0.113.1", device, http.StatusSeeOther},
		{"another address", "203.0.113.2", "", http.StatusSeeOther},
		{"a header of the client's own before the proxy's", "198.51.100.1, 203.0.113.1", "", http.StatusTooManyRequests},
	} {
		if a := try(tt.address, tt.device, studentPassword); a.status != tt.status {
			t.Errorf("%s: status %d, expected %d", tt.name, a.status, tt.status)
		}
	}
}

// TestDevicesByKeyboard signs in, ticks the box, signs the other devices out
// and changes the password, with the keyboard, on a narrow screen, in a browser
// that runs no script.
func TestDevicesByKeyboard(t *testing.T) {
	t.Parallel()
	b := openTab(t, startSite(t))
	other := newMember(t, b.site, student, studentPassword)
	b.withoutScripts()
	b.resize(390, 844)
	b.open("/user/login")
	b.typeIn("usuario", student)
	b.typeIn("acceso", studentPassword)
	b.tabTo("the box", func(f focus) bool { return f.Name == "remember" })
	b.do(chromedp.KeyEvent(" "))
	b.toButton("Sign in")
	b.press(kb.Enter)
	b.isAt("/home/panel")
	b.fromMenu("/user/devices")
	b.shows("This device")
	b.shows("Stays signed in")
	b.toButton("Sign out all other devices")
	b.press(kb.Enter)
	b.shows("All your other devices are signed out.")
	if page := other.get(t, "/home/panel"); page.status != http.StatusSeeOther {
		t.Errorf("the other device gets status %d", page.status)
	}
	b.toLink("/user/password")
	b.press(kb.Enter)
	b.typeIn("acceso", studentPassword)
	b.typeIn("acceso_nuevo", "three-more-unrelated-words")
	b.toButton("Change password")
	b.press(kb.Enter)
	b.shows("Your password is changed.")
	b.toButton("Sign out")
	b.press(kb.Enter)
	b.isAt("/home")
	b.shows("You are signed out.")
	newMember(t, b.site, student, "three-more-unrelated-words")
}
