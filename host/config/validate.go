package config

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The bounds of what may be set. A value outside is a typing mistake or would
// break the site: a session over 400 days outlives what browsers keep, a body
// over 64 MiB times a few people fills the memory, since bodies are buffered.
const (
	maxWorkers     = 64
	maxThreads     = 4096 // sandboxes of one handler, some 5 GiB
	minWorkerMB    = 64   // below it Go's own memory alone does not fit
	maxWorkerMB    = 1 << 20
	maxBodyLimit   = 64 * mebibyte
	minBodyLimit   = kibibyte
	maxSession     = 400 * 24 * time.Hour
	minSession     = 2 * time.Minute // what package session takes
	maxSessions    = 200             // what package session takes
	minRemember    = 24 * time.Hour  // less is what a session does by itself
	maxSiteName    = 80
	maxAdminUser   = 150 // the length of the reference's column
	minSecretKey   = 32  // characters; what 128 bits take in hexadecimal
	minAdminSecret = 8
)

// commonSecrets are values of SECRET_KEY that come from examples.
var commonSecrets = []string{
	"dev", "development", "test", "testing", "secret", "secretkey", "secret-key", "changeme", "change-me", "change_me",
	"default", "password", "production", "lectern", "now-lms", "test-secret-key-for-testing",
}

// validate finds the faults that a single value's form does not show.
func validate(cfg *Config, faults *Faults) {
	checkRanges(cfg, faults)
	checkText(cfg, faults)
	checkSecretKey(cfg, faults)
	checkRedis(cfg, faults)
	checkTogether(cfg, faults)
	checkCluster(cfg, faults)
	warn(cfg)
}

// checkRanges finds numbers, sizes and durations out of their bounds.
func checkRanges(cfg *Config, faults *Faults) {
	within := func(field string, ok bool, value any) {
		if v := byField(field); !ok && !faults.has(v.name) {
			cfg.misfit(faults, *v, fmt.Sprint(value))
		}
	}
	within("Port", cfg.Port >= 0 && cfg.Port <= 65535, cfg.Port)
	within("Workers", cfg.Workers <= maxWorkers, cfg.Workers)
	within("Threads", cfg.Threads <= maxThreads, cfg.Threads)
	within("WorkerMemory", cfg.WorkerMemory == Auto || cfg.WorkerMemory >= minWorkerMB && cfg.WorkerMemory <= maxWorkerMB, cfg.WorkerMemory)
	within("MaxBody", cfg.MaxBody >= minBodyLimit && cfg.MaxBody <= maxBodyLimit, cfg.MaxBody)
	within("SessionIdle", cfg.SessionIdle >= minSession && cfg.SessionIdle <= maxSession, cfg.SessionIdle)
	within("SessionAbsolute", cfg.SessionAbsolute >= minSession && cfg.SessionAbsolute <= maxSession, cfg.SessionAbsolute)
	within("SessionLimit", cfg.SessionLimit >= 1 && cfg.SessionLimit <= maxSessions, cfg.SessionLimit)
	within("Remember", cfg.Remember == 0 || cfg.Remember >= minRemember && cfg.Remember <= maxSession, cfg.Remember)
	within("RequestTimeout", cfg.RequestTimeout >= 100*time.Millisecond && cfg.RequestTimeout <= 10*time.Minute, cfg.RequestTimeout)
	within("ShutdownTimeout", cfg.ShutdownTimeout >= time.Second && cfg.ShutdownTimeout <= time.Hour, cfg.ShutdownTimeout)
	sync := cfg.Sync
	within("Sync", sync.Always || sync.Interval >= 10*time.Millisecond && sync.Interval <= 10*time.Minute, sync)
}

// checkText finds faults in the values that are plain text.
func checkText(cfg *Config, faults *Faults) {
	name := byField("SiteName")
	if n := utf8.RuneCountInString(cfg.SiteName); n > maxSiteName || strings.ContainsFunc(cfg.SiteName, unicode.IsControl) {
		cfg.misfit(faults, *name, cfg.SiteName)
	}
	if cfg.Bind != "" && cfg.Bind != "localhost" {
		if _, err := netip.ParseAddr(cfg.Bind); err != nil {
			cfg.misfit(faults, *byField("Bind"), cfg.Bind)
		}
	}
	if cfg.AdminUser != "" {
		if len(cfg.AdminUser) > maxAdminUser || strings.ContainsFunc(cfg.AdminUser, notInName) {
			cfg.misfit(faults, *byField("AdminUser"), cfg.AdminUser)
		}
	}
}

// notInName reports whether r has no place in a login name.
func notInName(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

// secretKeyRemedy is how to get a good key, for messages.
const secretKeyRemedy = "set it to 32 or more random characters, such as the output of: openssl rand -hex 32"

// checkSecretKey holds production to a key that cannot be guessed.
func checkSecretKey(cfg *Config, faults *Faults) {
	fallbacks := map[Secret]bool{cfg.SecretKey: true}
	for _, s := range cfg.SecretKeyFallbacks {
		if fallbacks[s] {
			cfg.Warnings = append(cfg.Warnings, "SECRET_KEY_FALLBACKS: a key is there twice or is SECRET_KEY itself; remove it")
		}
		fallbacks[s] = true
	}
	if !cfg.Production() {
		return
	}
	if err := weak(cfg.SecretKey); err != nil {
		faults.add("SECRET_KEY", "%v; %s", err, secretKeyRemedy)
	}
	for _, s := range cfg.SecretKeyFallbacks {
		if err := weak(s); err != nil {
			faults.add("SECRET_KEY_FALLBACKS", "one of the keys would let anybody sign cookies: %v; remove it", err)
			return
		}
	}
}

// weak says why a key is not good enough for production, or nil.
func weak(key Secret) error {
	text := strings.ToLower(strings.TrimSpace(key.Reveal()))
	if text == "" {
		return errors.New("it is not set")
	}
	for _, common := range commonSecrets {
		if text == common {
			return errors.New("it is a word from an example")
		}
	}
	distinct := map[rune]bool{}
	for _, r := range key.Reveal() {
		distinct[r] = true
	}
	switch n := utf8.RuneCountInString(key.Reveal()); {
	case n < minSecretKey:
		return fmt.Errorf("it has %d characters and production needs %d", n, minSecretKey)
	case len(distinct) < 8:
		return fmt.Errorf("it repeats %d different characters and can be guessed", len(distinct))
	}
	return nil
}

// checkTogether finds values that are right alone and wrong together.
func checkTogether(cfg *Config, faults *Faults) {
	if http.SameSite(cfg.CookieSameSite) == http.SameSiteNoneMode && !cfg.CookieSecure {
		faults.add("SESSION_COOKIE_SAMESITE", "None is refused by browsers for a cookie that is not Secure; "+
			"set SESSION_COOKIE_SECURE=true, or Lax here")
	}
	if cfg.SessionIdle > cfg.SessionAbsolute && !faults.has("LMS_SESSION_IDLE") && !faults.has("LMS_SESSION_ABSOLUTE") {
		faults.add("LMS_SESSION_IDLE", "%v is longer than LMS_SESSION_ABSOLUTE (%v) and would have no effect; "+
			"raise LMS_SESSION_ABSOLUTE or lower this", cfg.SessionIdle, cfg.SessionAbsolute)
	}
	if (cfg.AdminUser == "") != (cfg.AdminPassword == "") {
		missing, given := "ADMIN_PSWD", "ADMIN_USER"
		if cfg.AdminUser == "" {
			missing, given = given, missing
		}
		faults.add(missing, "not set although %s is; set both or neither", given)
	}
}

// warn notes settings that are allowed and weaken the site.
func warn(cfg *Config) {
	add := func(text string) { cfg.Warnings = append(cfg.Warnings, text) }
	addr, err := netip.ParseAddr(cfg.Bind)
	local := cfg.Bind == "localhost" || err == nil && addr.IsLoopback()
	if !cfg.Production() && !local {
		add("LMS_BIND: a development site has people with well-known passwords, and other machines can reach it; " +
			"set LMS_ENV=production for a real site")
	}
	if !cfg.Production() && !cfg.Clustered() && cfg.SecretKey != "" && weak(cfg.SecretKey) != nil {
		add("SECRET_KEY: good enough for development only; production refuses it")
	}
	if cfg.Production() && cfg.DebugEndpoints {
		add("LMS_DEBUG_ENDPOINTS: /debug/ answers to anybody; unset it when you have seen what you need")
	}
	if cfg.Production() && !cfg.CookieSecure {
		add("SESSION_COOKIE_SECURE: off, so session cookies travel over plain HTTP; put HTTPS in front and unset it")
	}
	if cfg.ForceHTTPS && len(cfg.TrustedProxy) == 0 {
		add("LMS_FORCE_HTTPS: no proxy is trusted to say that a request came by HTTPS, so every request is redirected; " +
			"set LMS_TRUSTED_PROXY to the proxy's address")
	}
}

// RequireAdmin reports whether the first administrator can be made: call it
// when the site has none yet. Development has a well-known one to fall back
// to; production needs ADMIN_USER and a password that is not a known one. The
// error is of type [Faults].
func (c Config) RequireAdmin() error {
	if !c.Production() {
		return nil
	}
	var faults Faults
	if c.AdminUser == "" {
		faults.add("ADMIN_USER", "the site has no administrator yet; set the name of the first one")
	}
	password := c.AdminPassword.Reveal()
	switch {
	case password == "":
		faults.add("ADMIN_PSWD", "the site has no administrator yet; set a password of 8 or more characters for the first one")
	case utf8.RuneCountInString(password) < minAdminSecret:
		faults.add("ADMIN_PSWD", "it is too short; set 8 or more characters")
	case strings.EqualFold(password, "lms-admin") || strings.EqualFold(password, c.AdminUser):
		faults.add("ADMIN_PSWD", "it is a well-known password or the name itself; set another")
	}
	if len(faults) > 0 {
		return faults
	}
	return nil
}
