package templates

import (
	"strconv"
	"time"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// The names of the months by language; English has its own in
// package time.
var (
	monthsSpanish = [12]string{
		"enero", "febrero", "marzo", "abril", "mayo", "junio", "julio",
		"agosto", "septiembre", "octubre", "noviembre", "diciembre",
	}
	monthsPortuguese = [12]string{
		"janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho",
		"agosto", "setembro", "outubro", "novembro", "dezembro",
	}
)

// FormatDate writes a day as people of a language write it in full, without
// the time; "" for the zero time.
func FormatDate(lang string, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	year, month, day := t.Date()
	d, y := strconv.Itoa(day), strconv.Itoa(year)
	switch {
	case isSpanish(lang):
		return d + " de " + monthsSpanish[month-1] + " de " + y
	case isPortuguese(lang):
		return d + " de " + monthsPortuguese[month-1] + " de " + y
	}
	return d + " " + month.String() + " " + y
}

// machineDate is the value of a <time> element's datetime attribute.
func machineDate(t time.Time) string { return t.Format(time.DateOnly) }

// FormatNumber writes a whole number with the thousands separator of a
// language; Spanish uses none below 10,000.
func FormatNumber(lang string, n int) string {
	digits := strconv.Itoa(n)
	sign := ""
	if n < 0 {
		sign, digits = "-", digits[1:]
	}
	separator, least := ",", 4
	switch {
	case isSpanish(lang):
		separator, least = ".", 5
	case isPortuguese(lang):
		separator = "."
	}
	if len(digits) >= least {
		for i := len(digits) - 3; i > 0; i -= 3 {
			digits = digits[:i] + separator + digits[i:]
		}
	}
	return sign + digits
}

// FormatPercent writes a percentage; Spanish puts a space before the sign.
func FormatPercent(lang string, n int) string {
	if isSpanish(lang) {
		return FormatNumber(lang, n) + nbsp + "%"
	}
	return FormatNumber(lang, n) + "%"
}

// FormatMinutes writes a length of time in hours and minutes; the unit signs
// are the same in all three languages.
func FormatMinutes(lang string, minutes int) string {
	hours, rest := minutes/60, minutes%60
	switch {
	case hours == 0:
		return strconv.Itoa(rest) + nbsp + "min"
	case rest == 0:
		return FormatNumber(lang, hours) + nbsp + "h"
	}
	return FormatNumber(lang, hours) + nbsp + "h " + strconv.Itoa(rest) + nbsp + "min"
}
