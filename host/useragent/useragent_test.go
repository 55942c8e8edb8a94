package useragent

import (
	"net/netip"
	"strings"
	"testing"
)

func TestDescribe(t *testing.T) {
	t.Parallel()
	const (
		mac    = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/"
		chrome = "537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	)
	cases := []struct{ header, browser, system string }{
		{"", "", ""},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/" + chrome, "Chrome", "Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/" + chrome + " Edg/142.0.0.0", "Edge", "Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/" + chrome + " OPR/120.0.0.0", "Opera", "Windows"},
		{"Mozilla/5.0 (Windows NT 10.0; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer", "Windows"},
		{mac + "605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", "Safari", "macOS"},
		{mac + chrome, "Chrome", "macOS"},
		{"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox", "Linux"},
		{"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/" + chrome, "Chrome", "ChromeOS"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", "Safari", "iOS"},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1", "Chrome", "iOS"},
		{"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/604.1", "Firefox", "iPadOS"},
		{"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36", "Chrome", "Android"},
		{"Mozilla/5.0 (Linux; Android 14; SAMSUNG SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36", "Samsung Internet", "Android"},
		{"curl/8.14.1", "curl", ""},
		{"something else", "", ""},
		{strings.Repeat("x", maxAgent) + "Firefox/145.0", "", ""},
	}
	for _, c := range cases {
		if browser, system := Describe(c.header); browser != c.browser || system != c.system {
			t.Errorf("%.160q: %q on %q, want %q on %q", c.header, browser, system, c.browser, c.system)
		}
	}
}

func TestPlace(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"203.0.113.77": "203.0.113.x", "10.0.0.0": "10.0.0.x", "192.168.100.200": "192.168.100.x", "::ffff:203.0.113.77": "203.0.113.x",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1::x", "fe80::1%eth0": "fe80::x", "127.0.0.1": "127.0.0.1", "::1": "::1",
	} {
		if got := Place(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s: %q, want %q", address, got, want)
		}
	}
	if got := Place(netip.Addr{}); got != "" {
		t.Errorf("no address is %q", got)
	}
}
