package debug

import (
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
)

// TestSessionReport says who is signed in, in the reference's words, and shows
// no secret.
func TestSessionReport(t *testing.T) {
	t.Setenv("NOW_LMS_WORKERS", "3")
	os.Unsetenv("LMS_WORKERS")
	os.Unsetenv("LMS_THREADS")
	w := newWorld(t)
	cookie := w.cookie(t, w.ada.ID)
	answer := ask(Session(w.World, "memory", 2), cookie)
	if answer.Code != http.StatusOK || answer.Header().Get("Cache-Control") != "no-store" || answer.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d, %v", answer.Code, answer.Header())
	}
	for _, secret := range []string{cookie.Value, "private notice", w.ada.Email} {
		if strings.Contains(answer.Body.String(), secret) {
			t.Errorf("the report has %q: %s", secret, answer.Body)
		}
	}
	want := map[string]any{
		"worker":          map[string]any{"pid": float64(os.Getpid()), "index": 2.0, "workers_env": "3", "threads_env": nil},
		"session_backend": "memory", "session_interface": "kv/session", "authenticated": true,
		"session_data": map[string]any{"lang": "es", "_notices": "[hidden]", "_user_id": "[hidden]"},
		"current_user": map[string]any{"id": w.ada.ID, "usuario": "ada", "tipo": "admin", "activo": true},
	}
	if got := object(t, answer.Body); !reflect.DeepEqual(got, want) {
		t.Errorf("the report is %v, want %v", got, want)
	}
}

// TestSessionReportOfNobody has no user, whatever cookie came.
func TestSessionReportOfNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	forged := w.cookie(t, w.ada.ID)
	forged.Value = strings.Repeat("A", len(forged.Value))
	gone := w.cookie(t, "01JBZ3QK6V9M2T4N8R5W7X0YAD")
	for name, cookie := range map[string]*http.Cookie{"no cookie": nil, "forged": forged, "anonymous": w.cookie(t, ""), "account gone": gone} {
		got := object(t, ask(Session(w.World, "memory", 0), cookie).Body)
		if got["authenticated"] != false || got["current_user"] != nil {
			t.Errorf("%s: %v", name, got)
		}
	}
	if err := w.Accounts.SetActive(t.Context(), w.ada.ID, false); err != nil {
		t.Fatal(err)
	}
	if got := object(t, ask(Session(w.World, "memory", 0), w.cookie(t, w.ada.ID)).Body); got["authenticated"] != false {
		t.Errorf("a disabled account: %v", got)
	}
}

// TestSessionReportWithoutAStore says so instead of "not signed in".
func TestSessionReportWithoutAStore(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(*world) error{
		"sessions": func(w *world) error { return w.sessions.Close() },
		"records":  func(w *world) error { return w.Records.Close() },
	} {
		w := newWorld(t)
		cookie := w.cookie(t, w.ada.ID)
		if err := stop(w); err != nil {
			t.Fatal(err)
		}
		answer := ask(Session(w.World, "memory", 0), cookie)
		if answer.Code != http.StatusServiceUnavailable || strings.Contains(answer.Body.String(), "authenticated") {
			t.Errorf("%s: status %d: %s", name, answer.Code, answer.Body)
		}
	}
}

// TestReportsChangeNothing asks as somebody with a waiting notice: the notice
// still waits.
func TestReportsChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cookie := w.cookie(t, w.ada.ID)
	for range 2 {
		answer := ask(Session(w.World, "memory", 0), cookie)
		if !strings.Contains(answer.Body.String(), "_notices") || len(answer.Result().Cookies()) != 0 {
			t.Errorf("the notice is gone or a cookie was set: %s", answer.Body)
		}
	}
}

// TestGuard lets nobody in while the endpoints are off.
func TestGuard(t *testing.T) {
	t.Parallel()
	inner := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { plain(w, http.StatusOK, "inside") })
	if w := ask(Guard(true, inner), nil); w.Body.String() != "inside" {
		t.Errorf("on: %d %s", w.Code, w.Body)
	}
	w := ask(Guard(false, inner), nil)
	want := map[string]any{"error": "Debug endpoints are not enabled", "help": "Set LMS_DEBUG_ENDPOINTS=1"}
	if got := object(t, w.Body); w.Code != http.StatusForbidden || !reflect.DeepEqual(got, want) {
		t.Errorf("off: %d %v", w.Code, got)
	}
}
