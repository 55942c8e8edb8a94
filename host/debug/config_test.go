package debug

import (
	"net/http"
	"strings"
	"testing"

	"github.com/lectern-lms/lectern/host/config"
)

// load reads an environment.
func load(t *testing.T, environ ...string) config.Config {
	t.Helper()
	cfg, err := config.Load(environ)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestConfigReport has the reference's fields and masks every secret.
func TestConfigReport(t *testing.T) {
	t.Parallel()
	const key, old, password = "abcd3f81b0c97e2d5a64HIDDEN1f08c7b2wxyz", "9d27e5c1a3b8f604OLDKEY7c1e82d95b3f60a4", "three-unrelated-words"
	cfg := load(t, "LMS_ENV=production", "SECRET_KEY="+key, "SECRET_KEY_FALLBACKS="+old, "ADMIN_USER=chief", "ADMIN_PSWD="+password,
		"LMS_DEBUG_ENDPOINTS=1", "LMS_SESSION_ABSOLUTE=2h", "SESSION_COOKIE_SAMESITE=Strict")
	answer := ask(Config(cfg, "jetstream"), nil)
	if answer.Code != http.StatusOK || answer.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("status %d, %v", answer.Code, answer.Header())
	}
	for _, secret := range []string{"HIDDEN", "OLDKEY", password} {
		if strings.Contains(answer.Body.String(), secret) {
			t.Errorf("the report has the secret %q: %s", secret, answer.Body)
		}
	}
	report := object(t, answer.Body)
	settings := report["config"].(map[string]any)
	for name, want := range map[string]any{
		"secret_key": "abcd...wxyz", "secret_key_is_default": false, "session_type": "jetstream", "session_use_signer": true,
		"session_cookie_httponly": true, "session_cookie_secure": true, "session_cookie_samesite": "Strict",
		"permanent_session_lifetime": "7200", "session_idle_time": "7200", "redis_url": "[not set]", "session_permanent": false, "testing": false,
	} {
		if settings[name] != want {
			t.Errorf("%s is %v, want %v", name, settings[name], want)
		}
	}
	if warnings := report["warnings"].([]any); len(warnings) != 1 || !strings.HasPrefix(warnings[0].(string), "LMS_DEBUG_ENDPOINTS") {
		t.Errorf("warnings %v", warnings)
	}
	if list := report["recommendations"].([]any); len(list) != 0 {
		t.Errorf("recommendations %v for a site that needs none", list)
	}
}

// TestConfigRecommends what a development site lacks.
func TestConfigRecommends(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		environ   []string
		isDefault bool
		want      []string
	}{
		{nil, false, []string{"LMS_ENV=production", "SECRET_KEY=", "SESSION_COOKIE_SECURE"}},
		{[]string{"SECRET_KEY=dev"}, true, []string{"LMS_ENV=production", "SESSION_COOKIE_SECURE"}},
		{[]string{"SESSION_COOKIE_SECURE=true"}, false, []string{"LMS_ENV=production", "SECRET_KEY="}},
	} {
		report := object(t, ask(Config(load(t, tt.environ...), "memory"), nil).Body)
		list := report["recommendations"].([]any)
		if len(list) != len(tt.want) {
			t.Fatalf("%v: recommendations %v", tt.environ, list)
		}
		for i, want := range tt.want {
			if !strings.Contains(list[i].(string), want) {
				t.Errorf("%v: recommendation %d is %v, want %s", tt.environ, i, list[i], want)
			}
		}
		if got := report["config"].(map[string]any)["secret_key_is_default"]; got != tt.isDefault {
			t.Errorf("%v: secret_key_is_default is %v", tt.environ, got)
		}
	}
}
