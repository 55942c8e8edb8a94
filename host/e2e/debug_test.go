//go:build unix

package e2e

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
)

// TestDebugEndpointsAreOff checks the answer when nobody has asked for them,
// in the reference's words.
func TestDebugEndpointsAreOff(t *testing.T) {
	t.Parallel()
	p := newPerson(startSite(t))
	for _, path := range []string{"/debug/session", "/debug/config", "/debug/redis"} {
		a := p.get(t, path)
		var fault struct{ Error, Help string }
		if err := json.Unmarshal([]byte(a.body), &fault); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if a.status != http.StatusForbidden || fault.Error != "Debug endpoints are not enabled" || fault.Help != "Set LMS_DEBUG_ENDPOINTS=1" {
			t.Errorf("%s: status %d, %s", path, a.status, a.body)
		}
	}
}

// TestDebugConfig checks the fields of /debug/config, which are the
// reference's, and that no secret is shown.
func TestDebugConfig(t *testing.T) {
	t.Parallel()
	const key = "abcd-a-key-for-this-test-alone-0123456789-wxyz"
	s := startSite(t, "LMS_DEBUG_ENDPOINTS=yes", "NOW_LMS_WORKERS=1", "SECRET_KEY="+key, "ADMIN_USER=lms-admin", "ADMIN_PSWD=hidden-whole")
	text := newPerson(s).get(t, "/debug/config").body
	fields, settings := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	if err := json.Unmarshal([]byte(text), &fields); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	checkFields(t, fields, "config", "environment", "warnings", "recommendations")
	if err := json.Unmarshal(fields["config"], &settings); err != nil {
		t.Fatal(err)
	}
	checkFields(t, settings, "secret_key", "secret_key_is_default", "session_type", "session_permanent", "session_use_signer",
		"session_cookie_httponly", "session_cookie_secure", "session_cookie_samesite", "permanent_session_lifetime", "redis_url", "testing")
	for name, want := range map[string]string{
		"secret_key": `"abcd...wxyz"`, "secret_key_is_default": "false", "session_type": `"jetstream"`, "redis_url": `"[not set]"`,
		"session_cookie_httponly": "true", "session_cookie_samesite": `"Lax"`, "permanent_session_lifetime": `"86400"`,
	} {
		if string(settings[name]) != want {
			t.Errorf("%s is %s, expected %s", name, settings[name], want)
		}
	}
	if strings.Contains(text, key) || strings.Contains(text, "hidden-whole") {
		t.Error("/debug/config shows a secret")
	}
	checkNothingSecret(t, s, key, "hidden-whole")
}
