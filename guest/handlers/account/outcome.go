package main

import (
	"net/http"

	"github.com/lectern-lms/lectern/guest/sdk"
)

// report is how an outcome of the host's account calls is told to the reader.
type report struct {
	// field is the form field that is at fault, "" for the whole form.
	field   string
	message string
	status  int
}

// reports holds every outcome but success.
var reports = map[sdk.Outcome]report{
	sdk.OutcomeWrong:          {"", "form.wrong_credentials", http.StatusUnauthorized},
	sdk.OutcomeInactive:       {"", "form.inactive", http.StatusForbidden},
	sdk.OutcomeThrottled:      {"", "error.429_text", http.StatusTooManyRequests},
	sdk.OutcomeLoginTaken:     {fieldLogin, "form.login_taken", http.StatusConflict},
	sdk.OutcomeEmailTaken:     {fieldEmail, "form.email_taken", http.StatusConflict},
	sdk.OutcomeLoginInvalid:   {fieldLogin, "form.login_invalid", http.StatusUnprocessableEntity},
	sdk.OutcomeEmailInvalid:   {fieldEmail, "form.email_invalid", http.StatusUnprocessableEntity},
	sdk.OutcomePasswordShort:  {fieldPassword, "form.password_short", http.StatusUnprocessableEntity},
	sdk.OutcomePasswordCommon: {fieldPassword, "form.password_common", http.StatusUnprocessableEntity},
	sdk.OutcomePasswordLong:   {fieldPassword, "form.too_long", http.StatusUnprocessableEntity},
}

// outcomeMessage is the key of the message about an outcome.
func outcomeMessage(o sdk.Outcome) string { return reports[o].message }

// outcomeField is the field at fault, "" for the whole form.
func outcomeField(o sdk.Outcome) string { return reports[o].field }

// outcomeStatus is the HTTP status of the page about an outcome.
func outcomeStatus(o sdk.Outcome) int { return reports[o].status }
