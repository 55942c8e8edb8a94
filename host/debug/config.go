package debug

import (
	"net/http"
	"strconv"

	"github.com/lectern-lms/lectern/host/config"
)

// settings are the values of /debug/config, under NOW LMS's names.
type settings struct {
	SecretKey          string `json:"secret_key"`
	SecretKeyIsDefault bool   `json:"secret_key_is_default"`
	SessionType        string `json:"session_type"`
	SessionPermanent   bool   `json:"session_permanent"`
	SessionUseSigner   bool   `json:"session_use_signer"`
	CookieHTTPOnly     bool   `json:"session_cookie_httponly"`
	CookieSecure       bool   `json:"session_cookie_secure"`
	CookieSameSite     string `json:"session_cookie_samesite"`
	Lifetime           string `json:"permanent_session_lifetime"`
	IdleTime           string `json:"session_idle_time"`
	RedisURL           string `json:"redis_url"`
	Testing            bool   `json:"testing"`
}

// configReport is the answer of /debug/config.
type configReport struct {
	Config          settings       `json:"config"`
	Environment     map[string]any `json:"environment"`
	Warnings        []string       `json:"warnings"`
	Recommendations []string       `json:"recommendations"`
}

// Config answers how sessions are set up, with secrets masked, and what could
// be better.
func Config(cfg config.Config, backend string) http.Handler {
	report := configReport{
		Config: settings{
			SecretKey:          config.Mask(cfg.SecretKey.Reveal()),
			SecretKeyIsDefault: isDefaultKey(cfg.SecretKey.Reveal()),
			SessionType:        backend,
			SessionUseSigner:   true,
			CookieHTTPOnly:     true,
			CookieSecure:       cfg.CookieSecure,
			CookieSameSite:     cfg.CookieSameSite.String(),
			Lifetime:           strconv.FormatInt(int64(cfg.SessionAbsolute.Seconds()), 10),
			IdleTime:           strconv.FormatInt(int64(cfg.SessionIdle.Seconds()), 10),
			RedisURL:           cfg.SessionsRedis().String(),
		},
		Environment: map[string]any{
			"LMS_WORKERS": variable("WORKERS"), "LMS_THREADS": variable("THREADS"), "LMS_ENV": string(cfg.Env),
			"has_redis_url": cfg.RedisURL != "",
		},
		Warnings:        append([]string{}, cfg.Warnings...),
		Recommendations: recommendations(cfg),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, report) })
}

// isDefaultKey knows the keys that NOW LMS ships with.
func isDefaultKey(key string) bool { return key == "dev" || key == "test-secret-key-for-testing" }

// recommendations are what an operator should do next; none if all is well.
func recommendations(cfg config.Config) []string {
	list := []string{}
	if !cfg.Production() {
		list = append(list, "For a real site: export LMS_ENV=production")
	}
	if cfg.Source("SECRET_KEY") == config.SourceGenerated {
		list = append(list, "Set unique SECRET_KEY: export SECRET_KEY=$(openssl rand -hex 32)")
	}
	if !cfg.CookieSecure {
		list = append(list, "For HTTPS, set SESSION_COOKIE_SECURE=True")
	}
	return list
}
