package templates

import "time"

// The icons of devices.
const (
	iconScreen = iconOpen + `<rect x="3.5" y="5" width="17" height="11" rx="1.5"/><path d="M9 20h6m-3-4v4"/>` + iconClose
	iconPhone  = iconOpen + `<rect x="7" y="3" width="10" height="18" rx="2"/><path d="M11 18h2"/>` + iconClose
)

// deviceIcon is a telephone or a screen, by the system.
func deviceIcon(d Device) string {
	switch d.System {
	case "Android", "iOS", "iPadOS", "Windows Phone":
		return iconPhone
	}
	return iconScreen
}

// deviceName says what a device is as far as it is known: "Firefox on Windows".
func deviceName(lang string, d Device) string {
	switch {
	case d.Browser != "" && d.System != "":
		return T(lang, "devices.name", d.Browser, d.System)
	case d.Browser != "":
		return d.Browser
	case d.System != "":
		return d.System
	}
	return T(lang, "devices.unknown")
}

// dayWord names a day as seen from another: today, yesterday, or its date. The
// times of use are noted some minutes or hours late, so days are exact enough.
// Days are those of UTC.
func dayWord(lang string, now, t time.Time) string {
	const day = 24 * time.Hour
	switch days := now.UTC().Truncate(day).Sub(t.UTC().Truncate(day)); {
	case days <= 0:
		return T(lang, "devices.today")
	case days == day:
		return T(lang, "devices.yesterday")
	}
	return FormatDate(lang, t.UTC())
}
