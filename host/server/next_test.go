package server_test

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/guest/abi"
	"github.com/lectern-lms/lectern/host/server"
)

// guard is the manifest of a handler in front of all routes of another.
func guard(next string) abi.Manifest {
	return abi.Manifest{Name: "guard", Next: next, Write: []string{"guard/"}}
}

// gate is the manifest of a handler that passes its own route on to another.
func gate(next string, patterns ...string) abi.Manifest {
	m := abi.Manifest{Name: "gate", Next: next, Write: []string{"gate/"}}
	for _, p := range patterns {
		m.Routes = append(m.Routes, abi.Route{Pattern: p})
	}
	return m
}

// got lists headers of a response, for a comparison.
func got(h http.Header, names ...string) string {
	var values []string
	for _, name := range names {
		values = append(values, strings.Join(h.Values(name), "+"))
	}
	return strings.Join(values, " ")
}

// TestMiddlewareSeesAndChangesTheResponse stands in front of every route of a
// handler and looks at what that one answered before it changes it.
func TestMiddlewareSeesAndChangesTheResponse(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, guard("trouble"),
		">set 1 X-Before yes", ">tell X-Route route", ">tell X-Config config", ">features X-All 5", ">next 7",
		"<tell X-Context context", "<tell X-Error error", "<tell X-Status status", "<tell X-Type header 1 Content-Type", "<tell X-Body body 1",
		"<tell X-Start features", "<tell X-Names names 1", "<status 203", "<set 1 Content-Type text/x-changed", "<body 1 changed", "<body 1  twice")))
	w := s.get("/trouble/public")
	if w.Code != 203 || w.Body.String() != "changed twice" || w.Header().Get("Content-Length") != "13" {
		t.Errorf("status %d: %q, %v\n%s", w.Code, w.Body, w.Header(), s.log)
	}
	for name, want := range map[string]string{
		"X-Before": "yes", "X-Route": "GET /trouble/public", "X-All": "7", "X-Start": "2", "X-Context": "7", "X-Error": "0", "X-Status": "200",
		"X-Type": "text/plain; charset=utf-8", "X-Body": "for all", "Content-Type": "text/x-changed",
	} {
		if values := w.Header().Values(name); len(values) != 1 || values[0] != want {
			t.Errorf("%s: %q, want %q", name, values, want)
		}
	}
	if names := w.Header().Get("X-Names"); !strings.Contains(names, "content-type|") || !strings.Contains(names, "x-before") {
		t.Errorf("the names are %q", names)
	}
	if w := s.get("/home"); w.Code != 200 || w.Header().Get("X-Before") != "" {
		t.Errorf("a route of another handler: status %d, %v", w.Code, w.Header())
	}
}

// TestMiddlewareChangesTheRequest passes one route on as another request.
func TestMiddlewareChangesTheRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, gate("trouble", "PUT /gate/{x}"),
		">method POST", ">uri /trouble/show?a=b", ">set 0 X-Plain changed", ">set 0 Content-Type application/x-www-form-urlencoded",
		">body 0 open=of the gate", ">next 0", "<tell X-Method method", "<tell X-Uri uri")))
	w := s.do(request(http.MethodPut, "/gate/1", url.Values{"open": {"of the visitor"}}))
	for _, want := range []string{"method=POST\n", "uri=/trouble/show?a=b\n", "x-plain=changed\n", `open="of the gate"`, "host=site.example\n"} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("status %d, without %q: %s", w.Code, want, w.Body)
		}
	}
	if got := got(w.Header(), "X-Method", "X-Uri"); got != "POST /trouble/show?a=b" {
		t.Errorf("in handle_response the request is %s", got)
	}
}

// TestRequestIsRoutedBehindMiddleware asks for what is no route, not with this
// method, or not for this reader.
func TestRequestIsRoutedBehindMiddleware(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, gate("trouble", "GET /gate"))))
	for _, tt := range []struct {
		uri, method, login string
		status             int
		header, want       string
	}{
		{"/trouble/public", "GET", "", 200, "X-Seen", "200"},
		{"/nowhere", "GET", "", 404, "X-Seen", ""},
		{"/home", "GET", "", 404, "X-Seen", ""}, // not one of trouble's
		{"/trouble/public", "POST", "", 405, "Allow", "GET, HEAD"},
		{"//trouble/public", "GET", "", 307, "Location", "/trouble/public"},
		{"/trouble/staff", "GET", "", 303, "Location", "/user/login?next=%2Fgate"},
		{"/trouble/staff", "GET", "ada", 403, "X-Seen", ""},
		{"/trouble/staff", "GET", "grace", 200, "X-Seen", "200"},
		{"/trouble/status/410", "GET", "", 410, "X-Seen", ""},
	} {
		r := request(http.MethodGet, "/gate", nil)
		r.Header.Set("X-Steps", ">uri "+tt.uri+";>method "+tt.method+";>next 0;<tell X-Seen status")
		if tt.login != "" {
			r.AddCookie(s.signIn(tt.login))
		}
		w := s.do(r)
		if w.Code != tt.status || w.Header().Get(tt.header) != tt.want {
			t.Errorf("%s %s of %q: status %d, %s %q, want %d and %q", tt.method, tt.uri, tt.login, w.Code, tt.header, w.Header().Get(tt.header), tt.status, tt.want)
		}
		if w.Code >= 400 && !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("%s %s: the error page lacks the request's id: %s", tt.method, tt.uri, w.Body)
		}
	}
}

// TestNobodyBehind answers 404 for a handler that passes on without a next, and
// tells the operator why.
func TestNobodyBehind(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, gate("", "POST /gate"), ">put gate/a b", ">next 0")))
	w := s.do(request(http.MethodPost, "/gate", nil))
	if w.Code != 404 || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) || s.value("gate/a") != "-" {
		t.Errorf("status %d, stored %q: %s", w.Code, s.value("gate/a"), w.Body)
	}
	if !strings.Contains(s.log.String(), "its manifest names no next") || !strings.Contains(s.log.String(), "handler=gate") {
		t.Errorf("the log is %s", s.log)
	}
}

// TestOneTransactionForAll commits what both handlers want, each with its own
// rights, or nothing.
func TestOneTransactionForAll(t *testing.T) {
	t.Parallel()
	m := guard("trouble")
	m.Routes = []abi.Route{{Pattern: "POST /gate"}}
	front := with(scripted(t, m))
	for _, tt := range []struct {
		path, status, counted, guarded string
		steps                          []string
	}{
		{"/trouble/count", "200", "1", "yes", nil},
		{"/trouble/count", "418", "1", "yes", []string{"<status 418"}},
		{"/trouble/count", "200", "1", "later", []string{"<put guard/a later"}},
		{"/trouble/panic", "500", "-", "-", nil},
		{"/trouble/panic", "500", "-", "-", []string{"<status 200", "<body 1 all is well"}},
		{"/trouble/show", "415", "-", "-", nil},
		// A page of its own in place of the one that the other asked for.
		{"/none", "200", "-", "-", []string{"<remove 1 Lectern-Error", "<status 200", "<put guard/b more", "<tell X-Is header 1 X-Put"}},
		{"/none", "404", "-", "-", []string{"<put guard/b more"}},
		// It asks for an error page although all went well.
		{"/trouble/count", "409", "-", "-", []string{"<status 409", "<set 1 Lectern-Error 1"}},
		{"/trouble/count", "500", "-", "-", []string{"<trap"}},
	} {
		steps := append([]string{">uri " + tt.path, ">set 0 Content-Type text/plain", ">put guard/a yes", ">put trouble/n 7", ">next 0"}, tt.steps...)
		s := newSite(t, front)
		r := request(http.MethodPost, "/gate", nil)
		if tt.path == "/trouble/show" {
			r = request(http.MethodPost, "/gate", url.Values{"a": {"b"}})
			r.Header.Set("Content-Type", "text/plain")
		}
		r.Header.Set("X-Steps", strings.Join(steps, ";"))
		w := s.do(r)
		if strconv.Itoa(w.Code) != tt.status || s.value("trouble/n") != tt.counted || s.value("guard/a") != tt.guarded || s.value("guard/b") != "-" {
			t.Errorf("%s %v: status %d, stored %q, %q and %q: %.200s", tt.path, tt.steps, w.Code, s.value("trouble/n"), s.value("guard/a"), s.value("guard/b"), w.Body)
		}
		if s.value("trouble/written") != "-" || len(w.Result().Cookies()) > 0 {
			t.Errorf("%s %v: half of a failed request was stored", tt.path, tt.steps)
		}
		if w.Header().Get("X-Is") != "" && w.Header().Get("X-Is") != strconv.Itoa(int(abi.StatusReadOnly)) {
			t.Errorf("a write after the failure has status %s", w.Header().Get("X-Is"))
		}
	}
}

// TestFailureIsToldToMiddleware gives handle_response the chance to clean up,
// and the reader the host's error page.
func TestFailureIsToldToMiddleware(t *testing.T) {
	t.Parallel()
	for uri, status := range map[string]int{"/trouble/panic": 500, "/trouble/spin": 503} {
		m := gate("trouble", "POST /gate")
		s := newSite(t, func(o *server.Options) {
			o.Timeout = 500 * time.Millisecond
			with(scripted(t, m, ">uri "+uri, ">method "+map[string]string{"/trouble/panic": "POST", "/trouble/spin": "GET"}[uri], ">next 3",
				"<log 2 cleaning after "+uri, "<note 2 error", "<body 1 all is well"))(o)
		})
		w := s.do(request(http.MethodPost, "/gate", nil))
		if w.Code < 500 || strings.Contains(w.Body.String(), "all is well") || !strings.Contains(w.Body.String(), w.Header().Get("X-Request-Id")) {
			t.Errorf("%s: status %d, want %d: %s", uri, w.Code, status, w.Body)
		}
		if !strings.Contains(s.log.String(), "handler trouble stopped") {
			t.Errorf("%s: the log does not name the handler that failed: %s", uri, s.log)
		}
	}
	log := sandboxLog.String()
	if !strings.Contains(log, `level=ERROR msg="cleaning after /trouble/panic" handler=gate`) || !strings.Contains(log, "level=ERROR msg=1 handler=gate") {
		t.Errorf("handle_response was not told of the failure: %s", log)
	}
}

// TestMiddlewareUnderConflicts counts from many requests at once through
// middleware that counts too: the two numbers stay the same.
func TestMiddlewareUnderConflicts(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, guard("trouble"), ">put guard/last x", ">next 0")))
	const clients = 5
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			if w := s.do(request(http.MethodPost, "/trouble/count", nil)); w.Code != 200 {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	if n := s.value("trouble/n"); n != strconv.Itoa(clients) || s.value("guard/last") != "x" {
		t.Errorf("%d requests counted to %s", clients, n)
	}
}

// TestSafeRequestStaysSafe makes a POST of a GET: nobody has checked from
// which site it came, so it cannot write.
func TestSafeRequestStaysSafe(t *testing.T) {
	t.Parallel()
	s := newSite(t, with(scripted(t, gate("trouble", "GET /gate", "POST /gate"), ">method POST", ">uri /trouble/count", ">next 0")))
	if w := s.get("/gate"); w.Code != 500 || s.value("trouble/n") != "-" {
		t.Errorf("GET: status %d, counted %s", w.Code, s.value("trouble/n"))
	}
	if w := s.do(request(http.MethodPost, "/gate", nil)); w.Code != 200 || s.value("trouble/n") != "1" {
		t.Errorf("POST: status %d, counted %s", w.Code, s.value("trouble/n"))
	}
}
