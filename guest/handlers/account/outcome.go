package main

import (
	"net/http"

	"github.com/lectern-lms/lectern/guest/abi"
)

// report is how an outcome of the host's account calls is told to the reader.
type report struct {
	// field is the form field that is at fault, "" for the whole form.
	field   string
	message string
	status  int
}

// reports holds every outcome but success.
var reports = map[abi.Outcome]report{
	abi.OutcomeWrong:          {"", "form.wrong_credentials", http.StatusUnauthorized},
	abi.OutcomeInactive:       {"", "form.inactive", http.StatusForbidden},
	abi.OutcomeThrottled:      {"", "error.429_text", http.StatusTooManyRequests},
	abi.OutcomeLoginTaken:     {fieldLogin, "form.login_taken", http.StatusConflict},
	abi.OutcomeEmailTaken:     {fieldEmail, "form.email_taken", http.StatusConflict},
	abi.OutcomeLoginInvalid:   {fieldLogin, "form.login_invalid", http.StatusUnprocessableEntity},
	abi.OutcomeEmailInvalid:   {fieldEmail, "form.email_invalid", http.StatusUnprocessableEntity},
	abi.OutcomePasswordShort:  {fieldPassword, "form.password_short", http.StatusUnprocessableEntity},
	abi.OutcomePasswordCommon: {fieldPassword, "form.password_common", http.StatusUnprocessableEntity},
	abi.OutcomePasswordLong:   {fieldPassword, "form.too_long", http.StatusUnprocessableEntity},
}

// outcomeMessage is the key of the message about an outcome.
func outcomeMessage(o abi.Outcome) string { return reports[o].message }

// outcomeField is the field at fault, "" for the whole form.
func outcomeField(o abi.Outcome) string { return reports[o].field }

// outcomeStatus is the HTTP status of the page about an outcome.
func outcomeStatus(o abi.Outcome) int { return reports[o].status }
