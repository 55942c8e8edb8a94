package main

import (
	"strings"
	"time"

	"github.com/lectern-lms/lectern/guest/handlers/page"
	"github.com/lectern-lms/lectern/guest/sdk"
	"github.com/lectern-lms/lectern/templates"
)

// passwordForm is the page to change one's password.
func passwordForm(w *sdk.Response, r *sdk.Request) error {
	return showPassword(w, r, 200, templates.Form{})
}

// showPassword makes the page of the form.
func showPassword(w *sdk.Response, r *sdk.Request, status int, f templates.Form) error {
	p, err := page.New(r, "password.title")
	if err != nil {
		return err
	}
	return w.Page(status, templates.Password(p, templates.PasswordView{Login: r.User().Login, Form: f}))
}

// setPassword changes the password, which signs all other devices out.
func setPassword(w *sdk.Response, r *sdk.Request) error {
	outcome, wait, err := r.SetPassword(fieldPassword, fieldNew, theftNotice)
	if err != nil {
		return err
	}
	if outcome == sdk.OutcomeOK {
		w.Redirect("/user/devices")
		return page.Notify(r, "success", "notice.password_changed")
	}
	f := templates.Form{Errors: map[string]string{}, Wait: retryAfter(w, wait)}
	status := outcomeStatus(outcome)
	switch field := outcomeField(outcome); {
	case outcome == sdk.OutcomeWrong:
		f.Errors[fieldPassword], status = "form.wrong_password", 422
	case field == fieldPassword:
		f.Errors[fieldNew] = outcomeMessage(outcome)
	default:
		f.Errors[field] = outcomeMessage(outcome)
	}
	return showPassword(w, r, status, f)
}

// devices lists where the reader is signed in, this device first.
func devices(w *sdk.Response, r *sdk.Request) error {
	p, err := page.New(r, "devices.title")
	if err != nil {
		return err
	}
	list, err := r.Devices()
	if err != nil {
		return err
	}
	v := templates.DevicesView{Now: r.Now()}
	for _, current := range []bool{true, false} {
		for _, d := range list {
			if d.Current != current {
				continue
			}
			v.Devices = append(v.Devices, templates.Device{
				ID: d.ID, Browser: d.Browser, System: d.System, Place: d.Place, Remembered: d.Remembered, Current: d.Current,
				Created: time.Unix(d.Created, 0).UTC(), Seen: time.Unix(d.Seen, 0).UTC(),
			})
		}
	}
	return w.Page(200, templates.Devices(p, v))
}

// endDevice signs one device out. If it is this one, that is a sign-out like
// any other.
func endDevice(w *sdk.Response, r *sdk.Request) error {
	id := strings.TrimSpace(r.Form(fieldDevice))
	if id == "" {
		return sdk.ErrBadRequest
	}
	lang := r.SessionValue(page.LanguageValue)
	found, err := r.EndDevice(id)
	switch {
	case err != nil:
		return err
	case !r.SignedIn():
		return signedOut(w, r, lang)
	case !found:
		w.Redirect("/user/devices")
		return page.Notify(r, "info", "notice.device_gone")
	}
	w.Redirect("/user/devices")
	return page.Notify(r, "success", "notice.device_ended")
}

// endOthers signs all devices out but this one.
func endOthers(w *sdk.Response, r *sdk.Request) error {
	if err := r.EndOtherDevices(); err != nil {
		return err
	}
	w.Redirect("/user/devices")
	return page.Notify(r, "success", "notice.others_ended")
}
