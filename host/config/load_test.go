package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

// goodKey is fit for production.
const goodKey = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

// TestDefaults pins what a process with an empty environment does.
func TestDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := Load(nil)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(cfg.Env, cfg.SiteName, cfg.DataDir, cfg.Address(), cfg.Workers, cfg.Threads, cfg.WorkerMemory, cfg.ForceHTTPS, cfg.CookieSecure,
		cfg.CookieSameSite, cfg.SessionIdle, cfg.SessionAbsolute, cfg.MaxBody, cfg.RequestTimeout, cfg.ShutdownTimeout,
		cfg.Sync, cfg.LogLevel, cfg.LogFormat, cfg.DebugEndpoints, len(cfg.TrustedProxy), cfg.Warnings)
	want := fmt.Sprintln("development", "Lectern", "./data", "127.0.0.1:8080", 1, "auto", "auto", false, false,
		"Lax", 24*time.Hour, 24*time.Hour, "1MiB", 10*time.Second, 20*time.Second,
		"100ms", "INFO", "auto", false, 0, []string(nil))
	if got != want {
		t.Errorf("defaults\n got %s\nwant %s", got, want)
	}
}

// TestValues reads every variable in a form other than its default.
func TestValues(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{
		"LMS_ENV=production", "SECRET_KEY=" + goodKey, "SECRET_KEY_FALLBACKS= " + goodKey + "1 , " + goodKey + "2,",
		"ADMIN_USER=ada", "ADMIN_PSWD=difference", "LMS_PORT=0", "LMS_BIND=[::1]", "LMS_WORKERS=64",
		"SESSION_COOKIE_SAMESITE=none", "LMS_DEBUG_ENDPOINTS=YES", "LMS_FORCE_HTTPS=on",
		"LMS_TRUSTED_PROXY=127.0.0.1, 10.1.2.3/8,::1", "LMS_SYNC=Always", "LMS_LOG_LEVEL=warn", "LMS_LOG_FORMAT=json",
		"LMS_MAX_BODY=512 kib", "LMS_REQUEST_TIMEOUT=1500ms", "LMS_SHUTDOWN_TIMEOUT=1m",
		"LMS_SESSION_IDLE=2h", "LMS_SESSION_ABSOLUTE=168h", "LMS_REMEMBER=0", "LMS_SESSION_LIMIT=3", "LMS_SITE_NAME=Escuela de Óptica", "LMS_DATA_DIR=/srv/x ",
	})
	if err != nil {
		t.Fatal(err)
	}
	proxies := []netip.Prefix{
		netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128"),
	}
	for name, ok := range map[string]bool{
		"env":       cfg.Production() && cfg.CookieSecure,
		"fallbacks": len(cfg.SecretKeyFallbacks) == 2 && cfg.SecretKeyFallbacks[0].Reveal() == goodKey+"1",
		"key":       cfg.SecretKey.Reveal() == goodKey,
		"admin":     cfg.AdminUser == "ada" && cfg.AdminPassword.Reveal() == "difference" && cfg.RequireAdmin() == nil,
		"address":   cfg.Address() == "[::1]:0" && cfg.Workers == 64,
		"samesite":  http.SameSite(cfg.CookieSameSite) == http.SameSiteNoneMode,
		"flags":     cfg.DebugEndpoints && cfg.ForceHTTPS,
		"proxies":   slices.Equal(cfg.TrustedProxy, proxies),
		"sync":      cfg.Sync.Always,
		"log":       cfg.LogLevel == slog.LevelWarn && cfg.LogFormat == LogJSON,
		"limits":    cfg.MaxBody == 512<<10 && cfg.RequestTimeout == 1500*time.Millisecond && cfg.ShutdownTimeout == time.Minute,
		"sessions":  cfg.SessionIdle == 2*time.Hour && cfg.SessionAbsolute == 168*time.Hour && cfg.Remember == 0 && cfg.SessionLimit == 3,
		"text":      cfg.SiteName == "Escuela de Óptica" && cfg.DataDir == "/srv/x",
	} {
		if !ok {
			t.Errorf("%s was not read as given", name)
		}
	}
}

// TestDependentDefaults checks the defaults that follow another value.
func TestDependentDefaults(t *testing.T) {
	t.Parallel()
	cfg, err := Load([]string{"LMS_ENV=production", "SECRET_KEY=" + goodKey})
	if err != nil || cfg.Address() != ":8080" || !cfg.CookieSecure {
		t.Errorf("production: address %q, secure %v, error %v; want :8080, true, nil", cfg.Address(), cfg.CookieSecure, err)
	}
	cfg, err = Load([]string{"LMS_SESSION_ABSOLUTE=1h"})
	if err != nil || cfg.SessionIdle != time.Hour {
		t.Errorf("idle %v, error %v; want it to follow the shorter absolute limit of 1h", cfg.SessionIdle, err)
	}
	cfg, err = Load([]string{"LMS_BIND=*"})
	if err != nil || cfg.Address() != ":8080" {
		t.Errorf("address %q, error %v; want all interfaces", cfg.Address(), err)
	}
}

// TestAliases checks the other names of a variable and which of them wins.
func TestAliases(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		environ []string
		port    int
		source  Source
	}{
		{"own name", []string{"LMS_PORT=81", "PORT=83"}, 81, "env"},
		{"NOW LMS name", []string{"NOW_LMS_PORT=82", "PORT=83"}, 82, "env NOW_LMS_PORT"},
		{"platform name", []string{"PORT=83"}, 83, "env PORT"},
		{"empty counts as unset", []string{"LMS_PORT=", "NOW_LMS_PORT= ", "PORT=83"}, 83, "env PORT"},
		{"both, the same", []string{"LMS_PORT=81", "NOW_LMS_PORT=81"}, 81, "env"},
		{"none", nil, 8080, "default"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := Load(tt.environ)
			if err != nil || cfg.Port != tt.port || cfg.Source("LMS_PORT") != tt.source {
				t.Errorf("port %d from %q, error %v; want %d from %q", cfg.Port, cfg.Source("LMS_PORT"), err, tt.port, tt.source)
			}
		})
	}
}

// TestCounts checks the numbers that Lectern may choose by itself, under all
// the names that NOW LMS has for them.
func TestCounts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		environ                  string
		workers, threads, memory Count
	}{
		{"LMS_WORKERS=auto LMS_THREADS=AUTO LMS_WORKER_MEMORY_MB=auto", Auto, Auto, Auto},
		{"LMS_WORKERS=3 LMS_THREADS=4096 LMS_WORKER_MEMORY_MB=64", 3, 4096, 64},
		{"NOW_LMS_WORKERS=3 NOW_LMS_THREADS=4 NOW_LMS_WORKER_MEMORY_MB=200", 3, 4, 200},
		{"WORKERS=3 THREADS=4 WORKER_MEMORY_MB=200", 3, 4, 200},
		{"NOW_LMS_WORKERS=3 WORKERS=5 NOW_LMS_THREADS=4 THREADS=6", 3, 4, Auto},
		{"LMS_WORKERS= LMS_THREADS= WORKER_MEMORY_MB=", 1, Auto, Auto},
	} {
		t.Run(tt.environ, func(t *testing.T) {
			t.Parallel()
			cfg, err := Load(strings.Split(tt.environ, " "))
			if err != nil || cfg.Workers != tt.workers || cfg.Threads != tt.threads || cfg.WorkerMemory != tt.memory {
				t.Errorf("%v workers, %v threads, %v MiB, error %v; want %v, %v, %v", cfg.Workers, cfg.Threads, cfg.WorkerMemory, err,
					tt.workers, tt.threads, tt.memory)
			}
		})
	}
}

// TestFaults checks that each kind of fault is found, that it names its
// variable and says what to do.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ environ, name, says string }{
		{"LMS_PORT=eighty", "LMS_PORT", "whole number from 0 to 65535"},
		{"LMS_PORT=65536", "LMS_PORT", "65535"},
		{"LMS_PORT=-1", "LMS_PORT", "65535"},
		{"NOW_LMS_PORT=99999", "LMS_PORT", "(from NOW_LMS_PORT)"},
		{"LMS_PORT=80 NOW_LMS_PORT=81", "LMS_PORT", "NOW_LMS_PORT is set as well"},
		{"LMS_WORKERS=0", "LMS_WORKERS", "from 1 to 64"},
		{"LMS_WORKERS=65", "LMS_WORKERS", "from 1 to 64"},
		{"LMS_WORKERS=-2", "LMS_WORKERS", "or the word auto"},
		{"LMS_WORKERS=many", "LMS_WORKERS", "or the word auto"},
		{"WORKERS=4.5", "LMS_WORKERS", "(from WORKERS)"},
		{"LMS_THREADS=0", "LMS_THREADS", "from 1 to 4096"},
		{"NOW_LMS_THREADS=4097", "LMS_THREADS", "(from NOW_LMS_THREADS)"},
		{"LMS_THREADS=x", "LMS_THREADS", "or the word auto"},
		{"LMS_WORKER_MEMORY_MB=63", "LMS_WORKER_MEMORY_MB", "MiB from 64"},
		{"LMS_WORKER_MEMORY_MB=1048577", "LMS_WORKER_MEMORY_MB", "to 1048576"},
		{"WORKER_MEMORY_MB=200M", "LMS_WORKER_MEMORY_MB", "whole number of MiB"},
		{"LMS_ENV=staging", "LMS_ENV", "development or production"},
		{"LMS_BIND=example.org", "LMS_BIND", "an IP address"},
		{"LMS_DEBUG_ENDPOINTS=maybe", "LMS_DEBUG_ENDPOINTS", "yes or on"},
		{"LMS_TRUSTED_PROXY=*", "LMS_TRUSTED_PROXY", "CIDR"},
		{"LMS_TRUSTED_PROXY=10.0.0.0/33", "LMS_TRUSTED_PROXY", "CIDR"},
		{"LMS_SYNC=sometimes", "LMS_SYNC", "always"},
		{"LMS_SYNC=0s", "LMS_SYNC", "always"},
		{"LMS_LOG_LEVEL=loud", "LMS_LOG_LEVEL", "debug, info, warn or error"},
		{"LMS_LOG_FORMAT=xml", "LMS_LOG_FORMAT", "json"},
		{"LMS_MAX_BODY=1GB", "LMS_MAX_BODY", "64MiB"},
		{"LMS_MAX_BODY=65MiB", "LMS_MAX_BODY", "64MiB"},
		{"LMS_MAX_BODY=9223372036854775807MiB", "LMS_MAX_BODY", "64MiB"},
		{"LMS_MAX_BODY=MiB", "LMS_MAX_BODY", "64MiB"},
		{"LMS_REQUEST_TIMEOUT=10", "LMS_REQUEST_TIMEOUT", "10s"},
		{"LMS_SHUTDOWN_TIMEOUT=0s", "LMS_SHUTDOWN_TIMEOUT", "1s to 1h"},
		{"LMS_SESSION_IDLE=-5m", "LMS_SESSION_IDLE", "24h"},
		{"LMS_SESSION_IDLE=119s", "LMS_SESSION_IDLE", "2m"},
		{"LMS_SESSION_ABSOLUTE=1s", "LMS_SESSION_ABSOLUTE", "2m"},
		{"LMS_SESSION_IDLE=48h", "LMS_SESSION_IDLE", "raise LMS_SESSION_ABSOLUTE"},
		{"LMS_SESSION_LIMIT=0", "LMS_SESSION_LIMIT", "1 to 200"},
		{"LMS_SESSION_LIMIT=201", "LMS_SESSION_LIMIT", "1 to 200"},
		{"LMS_SESSION_LIMIT=many", "LMS_SESSION_LIMIT", "1 to 200"},
		{"LMS_REMEMBER=23h", "LMS_REMEMBER", "24h"},
		{"LMS_REMEMBER=30d", "LMS_REMEMBER", "720h"},
		{"LMS_REMEMBER=9601h", "LMS_REMEMBER", "9600h"},
		{"LMS_SESSION_ABSOLUTE=forever", "LMS_SESSION_ABSOLUTE", "168h"},
		{"SESSION_COOKIE_SAMESITE=None", "SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_SECURE=true"},
		{"SESSION_COOKIE_SAMESITE=loose", "SESSION_COOKIE_SAMESITE", "Lax, Strict or None"},
		{"LMS_SITE_NAME=" + strings.Repeat("x", 81), "LMS_SITE_NAME", "80 characters"},
		{"LMS_SITE_NAME=a\tb", "LMS_SITE_NAME", "one line"},
		{"ADMIN_USER=ada", "ADMIN_PSWD", "set both or neither"},
		{"ADMIN_PSWD=difference", "ADMIN_USER", "set both or neither"},
		{"ADMIN_USER=a\u00a0b ADMIN_PSWD=x", "ADMIN_USER", "without spaces"},
		{"LMS_ENV=production", "SECRET_KEY", "openssl rand -hex 32"},
		{"LMS_ENV=production SECRET_KEY=Dev", "SECRET_KEY", "from an example"},
		{"LMS_ENV=production SECRET_KEY=changeme", "SECRET_KEY", "from an example"},
		{"LMS_ENV=production SECRET_KEY=" + goodKey[:31], "SECRET_KEY", "31 characters"},
		{"LMS_ENV=production SECRET_KEY=" + strings.Repeat("a", 64), "SECRET_KEY", "guessed"},
		{"LMS_ENV=production SECRET_KEY=" + goodKey + " SECRET_KEY_FALLBACKS=dev", "SECRET_KEY_FALLBACKS", "remove it"},
		{"REDIS_URL=http://:pa55word@localhost", "REDIS_URL", "it is like redis://"},
		{"REDIS_URL=localhost:6379", "REDIS_URL", "two slashes"},
		{"SESSION_REDIS_URL=redis://:pa55word@", "SESSION_REDIS_URL", "names no host"},
		{"SESSION_REDIS_URL=redis://redis.example", "SECRET_KEY", "other machines"},
		{"REDIS_URL=redis://redis.example SECRET_KEY=short", "SECRET_KEY", "5 characters"},
		{"CACHE_REDIS_URL=redis://x", "CACHE_REDIS_URL", "set REDIS_URL"},
		{"LMS_CLUSTER_PEER=a:1", "LMS_CLUSTER_PEER", "not a variable of a cluster"},
		{"LMS_LEAF_OF=x", "LMS_LEAF_OF", "no edge nodes"},
	} {
		t.Run(tt.environ[:min(len(tt.environ), 40)], func(t *testing.T) {
			t.Parallel()
			_, err := Load(strings.Split(tt.environ, " "))
			var faults Faults
			if !errors.As(err, &faults) || len(faults) != 1 {
				t.Fatalf("error %v; want exactly one fault", err)
			}
			if faults[0].Name != tt.name || !strings.Contains(faults[0].Message, tt.says) {
				t.Errorf("fault %v; want one of %s that says %q", faults[0], tt.name, tt.says)
			}
		})
	}
}

// TestFaultsTogether checks that one start tells a person everything, in the
// order of the table, and gives away no secret.
func TestFaultsTogether(t *testing.T) {
	t.Parallel()
	_, err := Load([]string{
		"REDIS_URL=redis://:pa55word@x/db", "LMS_LOG_LEVEL=loud", "LMS_ENV=production", "SECRET_KEY=hunter2hunter2",
		"SECRET_KEY_FALLBACKS=opensesame", "LMS_PORT=x", "LMS_WORKERS=0", "ADMIN_PSWD=swordfish",
	})
	var faults Faults
	if !errors.As(err, &faults) {
		t.Fatalf("error %v; want faults", err)
	}
	var names []string
	for _, f := range faults {
		names = append(names, f.Name)
	}
	want := []string{"REDIS_URL", "LMS_PORT", "LMS_WORKERS", "SECRET_KEY", "SECRET_KEY_FALLBACKS", "ADMIN_USER", "LMS_LOG_LEVEL"}
	if !slices.Equal(names, want) {
		t.Errorf("faults of %v; want %v", names, want)
	}
	for _, secret := range []string{"pa55word", "hunter2", "opensesame", "swordfish"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error gives a secret away: %v", err)
		}
	}
}

// TestWarnings checks what is said about names and settings that stop nothing.
func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ environ, says string }{
		{"LMS_PROT=80", "LMS_PROT is not a variable that this build knows; did you mean LMS_PORT?"},
		{"NOW_LMS_DATADIR=x", "NOW_LMS_DATADIR is not a variable that this build knows; did you mean LMS_DATA_DIR?"},
		{"LMS_ZZZZZZZZZZZZZZZ=x", "see lectern --help"},
		{"LMS_NODE_NAME=a", "LMS_NODE_NAME has no effect"},
		{"LMS_CLUSTER_NAME=a", "LMS_CLUSTER_NAME has no effect"},
		{"DATABASE_URL=postgres://:pa55word@x", "DATABASE_URL is not read"},
		{"LMS_BIND=0.0.0.0", "other machines can reach it"},
		{"SECRET_KEY=dev", "production refuses it"},
		{"LMS_FORCE_HTTPS=1", "LMS_TRUSTED_PROXY"},
		{"LMS_ENV=production LMS_DEBUG_ENDPOINTS=1 SECRET_KEY=" + goodKey, "/debug/ answers to anybody"},
		{"LMS_ENV=production SESSION_COOKIE_SECURE=off SECRET_KEY=" + goodKey, "plain HTTP"},
		{"SECRET_KEY=" + goodKey + " SECRET_KEY_FALLBACKS=" + goodKey, "there twice"},
	} {
		t.Run(tt.environ[:min(len(tt.environ), 40)], func(t *testing.T) {
			t.Parallel()
			cfg, err := Load(strings.Split(tt.environ, " "))
			if err != nil || len(cfg.Warnings) != 1 || !strings.Contains(cfg.Warnings[0], tt.says) {
				t.Errorf("warnings %q, error %v; want one that says %q", cfg.Warnings, err, tt.says)
			}
			if strings.Contains(fmt.Sprint(cfg.Warnings), "pa55word") {
				t.Errorf("a warning gives a value away: %q", cfg.Warnings)
			}
		})
	}
}

// TestRequireAdmin checks what the first start of a site asks for.
func TestRequireAdmin(t *testing.T) {
	t.Parallel()
	production := []string{"LMS_ENV=production", "SECRET_KEY=" + goodKey}
	for _, tt := range []struct {
		name    string
		environ []string
		says    []string // none: no error
	}{
		{"development without", nil, nil},
		{"production with", append(slices.Clone(production), "ADMIN_USER=ada", "ADMIN_PSWD=difference"), nil},
		{"production without", production, []string{"ADMIN_USER: the site has no", "ADMIN_PSWD: the site has no"}},
		{"short", append(slices.Clone(production), "ADMIN_USER=ada", "ADMIN_PSWD=short12"), []string{"8 or more"}},
		{"known", append(slices.Clone(production), "ADMIN_USER=ada", "ADMIN_PSWD=LMS-admin"), []string{"well-known"}},
		{"the name", append(slices.Clone(production), "ADMIN_USER=ada.byron", "ADMIN_PSWD=ada.byron"), []string{"well-known"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg, err := Load(tt.environ)
			if err != nil {
				t.Fatal(err)
			}
			err = cfg.RequireAdmin()
			if (err == nil) != (len(tt.says) == 0) {
				t.Fatalf("error %v; want one that says %q", err, tt.says)
			}
			for _, says := range tt.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("error %v; want one that says %q", err, says)
				}
			}
		})
	}
}
