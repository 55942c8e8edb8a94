package server_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/server"
)

// TestSecretsNeverReachTheGuest posts one and reads all that the handler saw.
func TestSecretsNeverReachTheGuest(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	form := url.Values{"secret": {"hunter2", "hunter3"}, "open": {"é &="}}
	r := request(http.MethodPost, "/trouble/show?secret=asked", form)
	r.AddCookie(&http.Cookie{Name: "session", Value: "cookie-value"})
	r.Header.Set("Authorization", "Bearer token-value")
	r.Header.Set("X-Plain", "shown")
	w := s.do(r)
	body := w.Body.String()
	for _, secret := range []string{"hunter2", "hunter3", "cookie-value", "token-value"} {
		if strings.Contains(body, secret) || strings.Contains(s.log.String(), secret) || strings.Contains(sandboxLog.String(), secret) {
			t.Errorf("the handler or the log saw %s: %s", secret, body)
		}
	}
	for _, want := range []string{`secret="" true`, `open="é &="`, "cookie=\n", "authorization=\n", "host=site.example\n", "x-plain=shown\n", "method=POST\n"} {
		if !strings.Contains(body, want) {
			t.Errorf("the handler did not see %q: %s", want, body)
		}
	}
}

// TestSecretsMustBeInAForm refuses bodies in which they could not be found.
func TestSecretsMustBeInAForm(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const form = "application/x-www-form-urlencoded"
	tests := []struct {
		kind, body string
		want       int
	}{
		{form, "secret=a", 200}, {form + "; charset=utf-8", "secret=a", 200}, {"", "", 200}, {"application/json", "", 200},
		{"application/json", `{"secret":"a"}`, 415}, {"multipart/form-data; boundary=x", "--x--", 415}, {"", "secret=a", 415},
		{"text/html; =", "secret=a", 415}, {form, "secret=%zz", 400}, {form, "a=1;secret=b", 400},
		{form, strings.Repeat("a", 4<<10+1), 413}, {form, strings.Repeat("a", 4<<10), 200},
	}
	for _, tt := range tests {
		r := httptest.NewRequest(http.MethodPost, "http://site.example/trouble/show", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.kind)
		if w := s.do(r); w.Code != tt.want {
			t.Errorf("%q with %d bytes %.20q: status %d, want %d", tt.kind, len(tt.body), tt.body, w.Code, tt.want)
		}
	}
}

// TestHandlerPanic gives a page without a word of the handler's, a log with
// its stack, and changes nothing.
func TestHandlerPanic(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	w := s.do(request(http.MethodPost, "/trouble/panic", url.Values{"secret": {"hunter2"}}))
	id, body := w.Header().Get("X-Request-Id"), w.Body.String()
	if w.Code != 500 || id == "" || !strings.Contains(body, id) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/html") {
		t.Errorf("status %d, id %q: %s", w.Code, id, body)
	}
	for _, inner := range []string{"innermostCause", "own words", "goroutine", "wasm", "half an answer", "panic"} {
		if strings.Contains(body, inner) {
			t.Errorf("the page tells of %q: %s", inner, body)
		}
	}
	log := s.log.String()
	for _, want := range []string{"innermostCause", "own words", id, `route="POST /trouble/panic"`, "main.explode"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s: %s", want, log)
		}
	}
	if strings.Contains(log, "hunter2") {
		t.Error("the log has the secret")
	}
	if s.value("trouble/written") != "-" || w.Header().Get("Set-Cookie") != "" {
		t.Error("something was written by a handler that panicked")
	}
	if w := s.get("/trouble/public"); w.Code != 200 {
		t.Errorf("the next request: status %d", w.Code)
	}
}

// TestHandlerTimeout stops a handler that never ends.
func TestHandlerTimeout(t *testing.T) {
	t.Parallel()
	s := newSite(t, func(o *server.Options) { o.Timeout = 300 * time.Millisecond })
	w := s.get("/trouble/spin")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) || !strings.Contains(s.log.String(), "timeout") {
		t.Errorf("status %d, log %s", w.Code, s.log)
	}
}

// TestPageAfterTheEnd answers a request whose time is over before it begins:
// the page of the error is whole regardless.
func TestPageAfterTheEnd(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, path := range []string{"/trouble/public", "/home"} {
		w := s.do(request(http.MethodGet, path, nil).WithContext(ctx))
		if w.Code < 500 || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
}

// TestHandlersCannotSetTheHostsHeaders tries cookies, policies and caching.
func TestHandlersCannotSetTheHostsHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if w := s.get("/trouble/cookie"); w.Code != 500 || w.Header().Get("Set-Cookie") != "" {
		t.Errorf("a cookie: status %d, %v", w.Code, w.Header())
	}
	h := s.get("/trouble/policy").Header()
	if strings.Contains(h.Get("Content-Security-Policy"), "*") || h.Get("X-Frame-Options") != "DENY" || h.Get("X-Request-Id") == "mine" || len(h["X-Request-Id"]) != 1 {
		t.Errorf("a handler loosened the policy: %v", h)
	}
	if h.Get("Cache-Control") != "no-cache" || h.Get("X-Own") != "kept" {
		t.Errorf("%v", h)
	}
}

// TestCaching tells pages for everybody from those of one person.
func TestCaching(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cookie := s.signIn("ada")
	for _, tt := range []struct {
		path     string
		signedIn bool
		want     string
	}{
		{"/trouble/public", false, "no-cache"}, {"/trouble/public", true, "no-cache"},
		{"/home", false, "private, no-cache"}, {"/home", true, "private, no-store"}, {"/perfil", true, "private, no-store"},
		{"/perfil", false, "no-store"}, {"/trouble/status/500", false, "no-store"},
	} {
		r := request(http.MethodGet, tt.path, nil)
		if tt.signedIn {
			r.AddCookie(cookie)
		}
		if got := s.do(r).Header().Get("Cache-Control"); got != tt.want {
			t.Errorf("%s, signed in %t: %q, want %q", tt.path, tt.signedIn, got, tt.want)
		}
	}
}

// TestConflictsAreRunAgain counts from many requests at once: each must find
// its own number, and none is lost.
func TestConflictsAreRunAgain(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	const clients = 5
	var mu sync.Mutex
	seen := map[string]bool{}
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			w := s.do(request(http.MethodPost, "/trouble/count", nil))
			mu.Lock()
			defer mu.Unlock()
			if w.Code != 200 || seen[w.Body.String()] {
				t.Errorf("status %d, number %s", w.Code, w.Body)
			}
			seen[w.Body.String()] = true
		})
	}
	all.Wait()
	if got := s.value("trouble/n"); got != "5" || len(seen) != clients {
		t.Errorf("%d requests counted to %s", clients, got)
	}
}

// TestStoreAway answers 503 and shows nobody as signed out.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	if err := s.records.Close(); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/trouble/read", "/home", "/course/explore"} {
		w := s.get(path)
		if w.Code != 503 || w.Header().Get("Retry-After") == "" || strings.Contains(w.Body.String(), "/user/login") {
			t.Errorf("%s: status %d, %v", path, w.Code, w.Header())
		}
	}
}

// TestSignInAndOut goes the way of a browser.
func TestSignInAndOut(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	cookie := s.signIn("ada")
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
		t.Errorf("the cookie is %+v", cookie)
	}
	profile := func() int {
		r := request(http.MethodGet, "/perfil", nil)
		r.AddCookie(cookie)
		return s.do(r).Code
	}
	if got := profile(); got != 200 {
		t.Errorf("signed in: status %d", got)
	}
	out := request(http.MethodPost, "/user/logout", nil)
	out.AddCookie(cookie)
	if w := s.do(out); w.Code != 303 || w.Header().Get("Clear-Site-Data") != `"cache"` {
		t.Errorf("sign-out: status %d, %v", w.Code, w.Header())
	}
	if got := profile(); got != 303 {
		t.Errorf("the old cookie after sign-out: status %d", got)
	}
}
