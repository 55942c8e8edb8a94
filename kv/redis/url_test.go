package redis

import (
	"errors"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/kv"
)

// TestParseURL reads good addresses, and names what is wrong with bad ones
// without showing the password.
func TestParseURL(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		url, addr, user, password string
		db                        int
		tls                       bool
	}{
		{"redis://localhost", "localhost:6379", "", "", 0, false},
		{"redis://:secret@10.0.0.7:7000/3", "10.0.0.7:7000", "", "secret", 3, false},
		{"rediss://lectern:p%40ss%2Fword@redis.example.org", "redis.example.org:6379", "lectern", "p@ss/word", 0, true},
		{"redis://[::1]:6380/", "[::1]:6380", "", "", 0, false},
		{"unix:///run/redis.sock", "/run/redis.sock", "", "", 0, false},
	} {
		o, err := parseURL(tt.url)
		if err != nil || o.InitAddress[0] != tt.addr || o.Username != tt.user || o.Password != tt.password || o.SelectDB != tt.db || (o.TLSConfig != nil) != tt.tls {
			t.Errorf("%s: %+v, %v", tt.url, o, err)
		}
		if tt.tls && o.TLSConfig.ServerName != "redis.example.org" {
			t.Errorf("%s: the server's name is %q", tt.url, o.TLSConfig.ServerName)
		}
	}
	for _, tt := range []struct{ url, says string }{
		{"", "scheme"},
		{"localhost:6379", "two slashes"},
		{"http://:hunter2@localhost", "scheme"},
		{"redis://:hunter2@", "no host"},
		{"redis://:hunter2@localhost:0", "port"},
		{"redis://:hunter2@localhost:70000", "port"},
		{"redis://:hunter2/x@localhost", "percent-encoded"},
		{"redis://:hunter2%zz@localhost", "percent sign"},
		{"redis://:hunter2@local host", "host"},
		{"redis://:hunter2@localhost/zero", "database"},
		{"redis://:hunter2@localhost/-1", "database"},
		{"redis://:hunter2@localhost/0?pool=5", "after its path"},
		{"redis://:hunter2#x@localhost", "percent-encoded"},
		{"unix://run/redis.sock", "absolute path"},
		{"redis://:hunter2\x7f@localhost", "no URL"},
	} {
		err := ParseURL(tt.url)
		if !errors.Is(err, kv.ErrInvalid) || !strings.Contains(err.Error(), tt.says) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v, want it to say %q and no password", tt.url, err, tt.says)
		}
		if m := Mask(tt.url); strings.Contains(m, "hunter2") {
			t.Errorf("%q is masked as %q", tt.url, m)
		}
	}
	for url, want := range map[string]string{
		"redis://lectern:hunter2@localhost:1/2": "redis://lectern:*****@localhost:1/2",
		" redis://:hunter2@localhost ":          "redis://:*****@localhost",
		"redis://localhost":                     "redis://localhost",
	} {
		if got := Mask(url); got != want {
			t.Errorf("Mask(%q) = %q, want %q", url, got, want)
		}
	}
}

// FuzzMask sees that no form of a password gets through.
func FuzzMask(f *testing.F) {
	f.Add("redis://user:", "hunter2", "@localhost:6379/0")
	f.Add("redis://", "hunter2", "@localhost:port")
	f.Add("unix://:", "h/u?n#t@r2", "@/run/redis.sock")
	f.Fuzz(func(t *testing.T, before, secret, after string) {
		if len(secret) < 6 || strings.Contains(before+"*"+after, secret) {
			return
		}
		url := before + secret + after
		o, err := parseURL(url)
		if err != nil {
			if strings.Contains(err.Error(), secret) && strings.Contains(url, ":"+secret+"@") {
				t.Errorf("%q: the error shows the secret: %v", url, err)
			}
			return
		}
		if o.Password == secret && strings.Contains(Mask(url), secret) {
			t.Errorf("%q is masked as %q", url, Mask(url))
		}
	})
}
