package main

import (
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/handlers/page/pagetest"
	"github.com/lectern-lms/lectern/guest/sdk"
)

// atHome is a site whose student is signed in on three devices.
func atHome(t *testing.T) *sdk.Fake {
	f := pagetest.New(t).SignIn("student")
	now := f.Now.Unix()
	f.Devices = []sdk.Device{
		{ID: "phone", Browser: "Safari", System: "iOS", Place: "198.51.100.x", Created: now - 90*86400, Seen: now - 86400, Remembered: true},
		{ID: "here", Browser: "Firefox", System: "Windows", Place: "203.0.113.x", Created: now, Seen: now, Current: true},
		{ID: "script", Browser: "curl", Created: now - 86400*9, Seen: now - 86400*9},
	}
	return f
}

// TestDevicesPage lists them, this one first, each with its own button.
func TestDevicesPage(t *testing.T) {
	t.Parallel()
	f := atHome(t)
	a := f.Serve("GET", "/user/devices", nil)
	pagetest.Shows(t, a, 200, "Firefox on Windows", "Safari on iOS", "curl", "203.0.113.x", "This device", "yesterday", "24 December 2025",
		"Stays signed in", `value="phone"`, `aria-label="Sign out Safari on iOS"`, `action="/user/devices/others"`, `href="/user/password"`)
	f.Devices = f.Devices[1:2]
	pagetest.Shows(t, f.Serve("GET", "/user/devices", nil), 200, "This device", "!/user/devices/others")
	pagetest.Leads(t, pagetest.New(t).Serve("GET", "/user/devices", nil), "")
}

// TestEndDevice ends the one that is named and tells when there was none.
func TestEndDevice(t *testing.T) {
	t.Parallel()
	f := atHome(t)
	f.Session["lang"] = "es"
	pagetest.Leads(t, f.Serve("POST", "/user/devices/end", url.Values{fieldDevice: {"phone"}}), "/user/devices")
	pagetest.Leads(t, f.Serve("POST", "/user/devices/end", url.Values{fieldDevice: {"phone"}}), "/user/devices")
	if len(f.Devices) != 2 || !slices.Equal(f.Notices, []string{"success\tnotice.device_ended", "info\tnotice.device_gone"}) {
		t.Errorf("devices %+v, notices %q", f.Devices, f.Notices)
	}
	pagetest.Fails(t, f.Serve("POST", "/user/devices/end", url.Values{}), 400)
	pagetest.Leads(t, f.Serve("POST", "/user/devices/end", url.Values{fieldDevice: {"here"}}), "/home")
	if f.User.ID != "" || len(f.Devices) != 1 || f.Session["lang"] != "es" {
		t.Errorf("reader %q, devices %+v, session %v", f.User.ID, f.Devices, f.Session)
	}
}

// TestEndOthers leaves this device alone.
func TestEndOthers(t *testing.T) {
	t.Parallel()
	f := atHome(t)
	pagetest.Leads(t, f.Serve("POST", "/user/devices/others", url.Values{}), "/user/devices")
	if len(f.Devices) != 1 || f.Devices[0].ID != "here" || f.User.ID == "" || !slices.Equal(f.Notices, []string{"success\tnotice.others_ended"}) {
		t.Errorf("devices %+v, reader %q, notices %q", f.Devices, f.User.ID, f.Notices)
	}
}

// TestSetPassword changes it and signs the other devices out.
func TestSetPassword(t *testing.T) {
	t.Parallel()
	const next = "a new long password"
	f := atHome(t)
	pagetest.Shows(t, f.Serve("GET", "/user/password", nil), 200, `action="/user/password"`, `autocomplete="new-password"`, `value="student"`)
	pagetest.Leads(t, f.Serve("POST", "/user/password", url.Values{fieldPassword: {pagetest.Password}, fieldNew: {next}}), "/user/devices")
	if len(f.Devices) != 1 || !slices.Equal(f.Notices, []string{"success\tnotice.password_changed"}) {
		t.Errorf("devices %+v, notices %q", f.Devices, f.Notices)
	}
	f.User, f.Role = sdk.User{}, ""
	pagetest.Leads(t, f.Serve("POST", "/user/login", credentials("student", next)), "/home/panel")
}

// TestSetPasswordRefuses puts each fault beside its field and keeps the rest.
func TestSetPasswordRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		form    url.Values
		outcome sdk.Outcome
		status  int
		shows   string
	}{
		"wrong":     {url.Values{fieldPassword: {"wrong"}, fieldNew: {"a new long password"}}, 0, 422, `id="f-acceso-error"`},
		"short":     {url.Values{fieldPassword: {pagetest.Password}, fieldNew: {"short"}}, 0, 422, `id="f-acceso_nuevo-error"`},
		"common":    {url.Values{fieldPassword: {pagetest.Password}, fieldNew: {"password1"}}, sdk.OutcomePasswordCommon, 422, "too easy to guess"},
		"throttled": {url.Values{fieldPassword: {"wrong"}, fieldNew: {"a new long password"}}, sdk.OutcomeThrottled, 429, "Wait 25 seconds"},
	} {
		f := atHome(t)
		f.Outcome, f.Wait = tt.outcome, 25*time.Second
		a := f.Serve("POST", "/user/password", tt.form)
		pagetest.Shows(t, a, tt.status, tt.shows, `role="alert"`, "!a new long password", "!form.")
		if len(f.Devices) != 3 || len(f.Notices) != 0 {
			t.Errorf("%s: devices %+v, notices %q", name, f.Devices, f.Notices)
		}
	}
}

// TestRememberIsAChoice shows the box if the site offers it, and remembers who
// ticks it.
func TestRememberIsAChoice(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	pagetest.Shows(t, f.Serve("GET", "/user/login", nil), 200, `!name="remember"`)
	f.Settings[sdk.SettingRememberDays] = "30"
	pagetest.Shows(t, f.Serve("GET", "/user/login", nil), 200, `name="remember"`, "For 30 days", "!checked")
	ticked := credentials("student", "wrong")
	ticked.Set(fieldRemember, "1")
	pagetest.Shows(t, f.Serve("POST", "/user/login", ticked), 401, "checked")
	pagetest.Leads(t, f.Serve("POST", "/user/login", credentials("student", pagetest.Password)), "/home/panel")
	if f.Remembered != "" {
		t.Error("remembered without having been asked")
	}
	f.User, f.Role = sdk.User{}, ""
	ticked.Set(fieldPassword, pagetest.Password)
	pagetest.Leads(t, f.Serve("POST", "/user/login", ticked), "/home/panel")
	if f.Remembered != "error\tnotice.theft" {
		t.Errorf("remembered with the notice %q", f.Remembered)
	}
}

// TestThrottledSignInSaysHowLong on the page and to clients.
func TestThrottledSignInSaysHowLong(t *testing.T) {
	t.Parallel()
	f := pagetest.New(t)
	f.Outcome, f.Wait = sdk.OutcomeThrottled, 41*time.Second
	a := f.Serve("POST", "/user/login", credentials("student", pagetest.Password))
	pagetest.Shows(t, a, 429, "Wait 41 seconds", `value="student"`)
	if got := a.Header.Get("Retry-After"); got != "41" {
		t.Errorf("Retry-After %q", got)
	}
}
