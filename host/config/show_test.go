package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestHelp checks that the table is complete and fits a terminal.
func TestHelp(t *testing.T) {
	t.Parallel()
	help := Help()
	for _, v := range variables {
		if !strings.Contains(help, "  "+v.name+" ") {
			t.Errorf("%s is not in the table", v.name)
		}
		if v.group == "" || v.help == "" || v.want == "" || v.shown == "" {
			t.Errorf("%s lacks a tag: %+v", v.name, v)
		}
	}
	for line := range strings.Lines(help) {
		if n := utf8.RuneCountInString(strings.TrimRight(line, "\n")); n > 100 {
			t.Errorf("a line has %d characters: %s", n, line)
		}
	}
}

// TestMask pins the mask to the one of the reference's debug pages.
func TestMask(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "[not set]", "dev": "****", "12345678": "****", "123456789": "1234...6789", "0123456789abcdef": "0123...cdef", "ñandúñandú": "ñand...andú",
	} {
		if got := Mask(in); got != want {
			t.Errorf("Mask(%q) = %q; want %q", in, got, want)
		}
	}
}

// TestSecretsStayHidden prints a configuration in every way that code does.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"SECRET_KEY=" + goodKey, "SECRET_KEY_FALLBACKS=" + goodKey[1:], "ADMIN_USER=ada", "ADMIN_PSWD=difference",
		"REDIS_URL=redis://lectern:hunter22@localhost"})
	if err != nil {
		t.Fatal(err)
	}
	var printed, logged bytes.Buffer
	if err := cfg.Print(&printed); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&logged, nil)).Info("start", "key", cfg.SecretKey, "config", cfg)
	encoded, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for how, text := range map[string]string{
		"Print": printed.String(), "slog": logged.String(), "json": string(encoded),
		"%v": fmt.Sprintf("%v", cfg), "%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg), "%q": fmt.Sprintf("%q", cfg.SecretKey),
	} {
		for _, secret := range []string{goodKey[8:24], "difference", "hunter22"} {
			if strings.Contains(text, secret) {
				t.Errorf("%s gives a secret away: %s", how, text)
			}
		}
	}
}

// TestPrint checks values, sources and warnings as a person sees them.
func TestPrint(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{
		"LMS_PORT=81", "NOW_LMS_DATA_DIR=/srv/x", "SECRET_KEY_FALLBACKS=" + goodKey + ",x", "ADMIN_USER=ada", "ADMIN_PSWD=a long password",
		"LMS_TRUSTED_PROXY=10.0.0.0/8,127.0.0.1", "LMS_BIND=*", "LMS_MAX_BODY=1500", "LMS_SYNC=always",
		"SESSION_REDIS_URL= redis://lectern:hunter22@localhost/3 ",
	})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := cfg.Print(&out); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(out.String()), " ")
	for _, want := range []string{
		"LMS_PORT 81 env ", "LMS_DATA_DIR /srv/x env NOW_LMS_DATA_DIR ", "LMS_WORKERS 1 default ", "SECRET_KEY [not set] generated ",
		"SECRET_KEY_FALLBACKS 9f86...0a08,**** env ", "ADMIN_PSWD **** env ", "LMS_TRUSTED_PROXY 10.0.0.0/8,127.0.0.1/32 env ",
		"LMS_BIND * env ", "LMS_MAX_BODY 1500 env ", "LMS_SYNC always env ", "LMS_ENV development default ", "SESSION_COOKIE_SECURE false default ",
		"SESSION_COOKIE_SAMESITE Lax default ", "LMS_LOG_LEVEL INFO default", "warning: LMS_BIND: ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, out.String())
		}
	}
	if err := cfg.Print(brokenWriter{}); !errors.Is(err, errBroken) {
		t.Errorf("Print to a broken pipe returns %v; want the writer's error", err)
	}
}

// errBroken is what a brokenWriter answers.
var errBroken = errors.New("broken pipe")

// brokenWriter stands for a terminal that has gone away.
type brokenWriter struct{}

// Write fails.
func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

// FuzzLoad feeds values of any form to every kind of variable: no value may
// panic, and each fault must name a variable and fit on one line.
func FuzzLoad(f *testing.F) {
	for _, seed := range []string{"", "1", "auto", "1MiB", "10s", "::1", "10.0.0.0/8,,", "always", "None", "\x00", "9e99h", "é\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		for _, v := range variables {
			cfg, err := Load([]string{v.name + "=" + value})
			var faults Faults
			if err != nil && !errors.As(err, &faults) {
				t.Fatalf("%s=%q: error of type %T", v.name, value, err)
			}
			for _, fault := range faults {
				if fault.Name == "" || fault.Name == "configuration" || strings.Contains(fault.Message, "\n") {
					t.Errorf("%s=%q: fault %q", v.name, value, fault.Error())
				}
			}
			if err := cfg.Print(&strings.Builder{}); err != nil {
				t.Error(err)
			}
		}
	})
}
