package site_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/host/debug"
	"github.com/lectern-lms/lectern/host/site"
	"github.com/lectern-lms/lectern/kv"
	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/nats-io/nats.go"
)

// chief is the environment of a production site.
var chief = []string{"LMS_ENV=production", "ADMIN_USER=chief", "ADMIN_PSWD=three-unrelated-words"}

// TestReadyz has a line for each component and fails with any of them.
func TestReadyz(t *testing.T) {
	t.Parallel()
	stores := site.OpenMemory()
	o, _ := start(t, stores, chief...)
	s := open(t, o)
	w := get(s, "/readyz")
	lines := strings.Split(strings.TrimSpace(w.Body.String()), "\n")
	for i, want := range []string{"[+] server: ", "[+] records: memory", "[+] sessions: memory", "[+] engine: ", "[+] handlers: 1 loaded"} {
		if w.Code != http.StatusOK || len(lines) != 5 || !strings.HasPrefix(lines[i], want) {
			t.Fatalf("status %d, line %d should be %q:\n%s", w.Code, i+1, want, w.Body)
		}
	}
	if err := stores.Sessions.Close(); err != nil {
		t.Fatal(err)
	}
	w = get(s, "/readyz")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "[-] sessions: ") || !strings.Contains(w.Body.String(), "[+] records: ") {
		t.Errorf("without sessions: status %d:\n%s", w.Code, w.Body)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	w = get(s, "/readyz")
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "[-] server: stopping") {
		t.Errorf("while stopping: status %d:\n%s", w.Code, w.Body)
	}
	if w := get(s, "/healthz"); w.Code != http.StatusOK {
		t.Errorf("/healthz while stopping: status %d", w.Code)
	}
}

// TestDebugEndpointsAreOffUnlessAskedFor gives 403 in words that say how.
func TestDebugEndpointsAreOffUnlessAskedFor(t *testing.T) {
	t.Parallel()
	for setting, want := range map[string]int{"LMS_DEBUG_ENDPOINTS=0": 403, "LMS_DEBUG_ENDPOINTS=1": 200} {
		o, _ := start(t, site.OpenMemory(), append([]string{setting}, chief...)...)
		s := open(t, o)
		for _, path := range []string{"/debug/session", "/debug/config"} {
			w := get(s, path)
			if w.Code != want || w.Header().Get("Content-Type") != "application/json" || strings.Contains(w.Body.String(), "0123456789abcdef") {
				t.Errorf("%s, %s: status %d: %s", setting, path, w.Code, w.Body)
			}
			if want == 403 && !strings.Contains(w.Body.String(), "LMS_DEBUG_ENDPOINTS=1") {
				t.Errorf("%s does not say how to turn it on: %s", path, w.Body)
			}
		}
	}
}

// TestMetricsCountRequests and what the engine did for them.
func TestMetricsCountRequests(t *testing.T) {
	t.Parallel()
	o, _ := start(t, site.OpenMemory(), chief...)
	o.Worker = 3
	s := open(t, o)
	get(s, "/home")
	get(s, "/home")
	body := get(s, "/metrics").Body.String()
	for _, want := range []string{
		`lectern_http_requests_total{route="GET /home",status="200",worker="3"} 2`,
		`lectern_sandbox_call_seconds_count{handler="catalog",worker="3"} 2`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("/metrics lacks %s", want)
		}
	}
}

// TestServeAndShutdown goes over a real listener.
func TestServeAndShutdown(t *testing.T) {
	t.Parallel()
	o, _ := start(t, site.OpenMemory(), chief...)
	s := open(t, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	answer, err := http.Get("http://" + l.Addr().String() + "/home")
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil || string(body) != page {
		t.Errorf("%q, %v", body, err)
	}
	_ = answer.Body.Close()
	if err := errors.Join(s.Shutdown(t.Context()), <-served); err != nil {
		t.Error(err)
	}
}

// TestCloseFrees looks at the sandboxes of a site before and after its end, and
// for goroutines of the engine after it. It does not run beside other tests,
// which have some.
func TestCloseFrees(t *testing.T) {
	o, _ := start(t, site.OpenMemory(), chief...)
	o.Metrics = debug.NewMetrics(0)
	s, err := site.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	get(s, "/home")
	idle := func() string {
		w := httptest.NewRecorder()
		o.Metrics.Handler(nil).ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		return regexp.MustCompile(`lectern_sandboxes\{handler="catalog",state="idle",worker="0"\} (\d+)`).FindString(w.Body.String())
	}
	if got := idle(); got == "" || strings.HasSuffix(got, " 0") {
		t.Fatalf("an open site has no idle sandboxes: %q", got)
	}
	if err := s.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := idle(); !strings.HasSuffix(got, " 0") {
		t.Errorf("sandboxes are left: %q", got)
	}
	for deadline := time.Now().Add(10 * time.Second); strings.Contains(goroutines(t), "host/engine"); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("goroutines are left:\n%s", goroutines(t))
		}
	}
}

// goroutines are the stacks of all.
func goroutines(t *testing.T) string {
	t.Helper()
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestOpenJetStream keeps the first start in the embedded store over a restart
// of the site, and reports a connection that fails.
func TestOpenJetStream(t *testing.T) {
	t.Parallel()
	quiet := slog.New(slog.DiscardHandler)
	node, err := jetstream.StartServer(jetstream.ServerOptions{Dir: t.TempDir(), Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Shutdown()
	for round := range 2 {
		stores, err := site.OpenJetStream(t.Context(), node.Connect, 1, quiet)
		if err != nil {
			t.Fatal(err)
		}
		o, log := start(t, stores, chief...)
		s := open(t, o)
		if w := get(s, "/readyz"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "[+] records: jetstream") {
			t.Errorf("status %d:\n%s", w.Code, w.Body)
		}
		if first := strings.Contains(log.String(), "first start"); first != (round == 0) {
			t.Errorf("start %d is a first one: %t", round+1, first)
		}
		if err := stores.Close(); err != nil {
			t.Error(err)
		}
		if _, err := stores.Records.Get(t.Context(), "system/first-start"); !errors.Is(err, kv.ErrClosed) {
			t.Errorf("a closed store answers %v", err)
		}
	}
	calls := 0
	_, err = site.OpenJetStream(t.Context(), func(name string) (*nats.Conn, error) {
		if calls++; calls == 2 {
			return nil, errors.New("no second connection")
		}
		return node.Connect(name)
	}, 1, quiet)
	if err == nil || !strings.Contains(err.Error(), "no second connection") {
		t.Errorf("the error is %v", err)
	}
}
