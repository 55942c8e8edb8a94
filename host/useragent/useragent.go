// Package useragent tells people by what a session is used: the browser and
// the system in plain words, and an address shortened so that it tells a
// person where they were and nobody else who they are. It is a handful of rules
// for the list of devices and nothing may be decided by it, since a browser
// can say what it likes.
package useragent

import (
	"net/netip"
	"strings"
)

// maxAgent bounds the work on one header; real ones have about 120 bytes.
const maxAgent = 512

// rule names what a piece of a User-Agent header stands for.
type rule struct{ piece, name string }

// browsers are in the order in which they are looked for: most browsers name
// those that they descend from as well.
var browsers = []rule{
	{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"OPiOS/", "Opera"}, {"Opera", "Opera"},
	{"SamsungBrowser/", "Samsung Internet"}, {"Vivaldi/", "Vivaldi"}, {"YaBrowser/", "Yandex Browser"},
	{"DuckDuckGo/", "DuckDuckGo"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"}, {"CriOS/", "Chrome"},
	{"HeadlessChrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"}, {"Epiphany/", "GNOME Web"},
	{"Safari/", "Safari"}, {"Trident/", "Internet Explorer"}, {"curl/", "curl"}, {"Wget/", "Wget"},
}

// systems are in the order in which they are looked for: Android names Linux
// too, and iOS names macOS.
var systems = []rule{
	{"Windows Phone", "Windows Phone"}, {"Windows", "Windows"}, {"iPad", "iPadOS"}, {"iPhone", "iOS"}, {"iPod", "iOS"},
	{"Android", "Android"}, {"CrOS", "ChromeOS"}, {"Macintosh", "macOS"}, {"Mac OS X", "macOS"},
	{"FreeBSD", "FreeBSD"}, {"OpenBSD", "OpenBSD"}, {"Linux", "Linux"},
}

// Describe names the browser and the system of a User-Agent header, "" for
// what it does not tell.
func Describe(header string) (browser, system string) {
	header = header[:min(len(header), maxAgent)]
	return first(browsers, header), first(systems, header)
}

// first is the name of the first rule that fits, or "".
func first(rules []rule, header string) string {
	for _, r := range rules {
		if strings.Contains(header, r.piece) {
			return r.name
		}
	}
	return ""
}

// The parts of an address that Place keeps: what names a network and not one
// household in it.
const (
	keepIPv4 = 24
	keepIPv6 = 48
)

// Place is an address without its last part: "203.0.113.x", "2001:db8:1::x";
// "" if it is not valid. Addresses of this machine are whole.
func Place(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return ""
	case a.IsLoopback():
		return a.String()
	case a.Is4():
		p, _ := a.Prefix(keepIPv4) // It fails for lengths over 32 only.
		return strings.TrimSuffix(p.Addr().String(), "0") + "x"
	}
	p, _ := a.Prefix(keepIPv6)
	return p.Addr().String() + "x"
}
