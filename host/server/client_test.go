package server

import (
	"crypto/tls"
	"net/http/httptest"
	"net/netip"
	"testing"
)

// proxied is a server that trusts 10.0.0.0/8 and one address of IPv6.
func proxied() *Server {
	return &Server{options: Options{TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::1/128")}}}
}

// TestClientOf reads chains of proxies: what strangers claim does not count.
func TestClientOf(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, remote string
		forwarded    []string
		proto        string
		tls          bool
		want         string
		https        bool
	}{
		{"no proxy", "198.51.100.7:4000", nil, "", false, "198.51.100.7", false},
		{"TLS", "198.51.100.7:4000", nil, "", true, "198.51.100.7", true},
		{"stranger claims", "198.51.100.7:4000", []string{"203.0.113.9"}, "https", false, "198.51.100.7", false},
		{"one proxy", "10.0.0.1:4000", []string{"203.0.113.9"}, "https", false, "203.0.113.9", true},
		{"spoofed behind a proxy", "10.0.0.1:4000", []string{"127.0.0.1, 203.0.113.9"}, "http", false, "203.0.113.9", false},
		{"spoofed as a proxy", "10.0.0.1:4000", []string{"10.9.9.9, 203.0.113.9"}, "", false, "203.0.113.9", false},
		{"two proxies", "10.0.0.1:4000", []string{"1.1.1.1, 203.0.113.9, 10.0.0.2"}, "", false, "203.0.113.9", false},
		{"two headers", "10.0.0.1:4000", []string{"1.1.1.1", "203.0.113.9, 10.0.0.2"}, "", false, "203.0.113.9", false},
		{"only proxies", "10.0.0.1:4000", []string{"10.0.0.3, 10.0.0.2"}, "", false, "10.0.0.3", false},
		{"nonsense", "10.0.0.1:4000", []string{"203.0.113.9, <script>"}, "", false, "10.0.0.1", false},
		{"nonsense behind a proxy", "10.0.0.1:4000", []string{"unknown, 10.0.0.2"}, "", false, "10.0.0.2", false},
		{"empty", "10.0.0.1:4000", []string{""}, "", false, "10.0.0.1", false},
		{"IPv6", "[2001:db8::1]:4000", []string{"2001:db8::7"}, "https", false, "2001:db8::7", true},
		{"IPv6 stranger", "[2001:db8::2]:4000", []string{"2001:db8::7"}, "https", false, "2001:db8::2", false},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:4000", []string{"::ffff:203.0.113.9"}, "", false, "203.0.113.9", false},
		{"no address", "@", []string{"203.0.113.9"}, "https", false, "invalid IP", false},
	}
	for _, tt := range tests {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.remote
		for _, f := range tt.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		r.Header.Set("X-Forwarded-Proto", tt.proto)
		if tt.tls {
			r.TLS = &tls.ConnectionState{}
		}
		client, https := proxied().clientOf(r)
		if client.String() != tt.want || https != tt.https {
			t.Errorf("%s: %s, https %t; want %s, %t", tt.name, client, https, tt.want, tt.https)
		}
	}
}

// FuzzClientOf sends any header: the answer is an address that came from the
// connection or from the right end of the chain, and nothing panics.
func FuzzClientOf(f *testing.F) {
	f.Add("10.0.0.1:1", "203.0.113.9, 10.0.0.2")
	f.Add("[::1%eth0]:1", ",,")
	f.Add("198.51.100.7:1", "10.0.0.1")
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = remote
		r.Header["X-Forwarded-For"] = []string{forwarded}
		s := proxied()
		client, _ := s.clientOf(r)
		direct, err := netip.ParseAddrPort(remote)
		if err == nil && !s.trusted(direct.Addr().Unmap()) && client != direct.Addr().Unmap() {
			t.Errorf("%q was believed %q: %s", remote, forwarded, client)
		}
	})
}
