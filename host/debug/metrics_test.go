package debug

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TestMetricsCount requests, calls, failures and starts.
func TestMetricsCount(t *testing.T) {
	t.Parallel()
	m := NewMetrics(4)
	m.Request("GET /home", 200, 30*time.Millisecond)
	m.Request("GET /home", 200, 40*time.Millisecond)
	catalog := m.Sandboxes().Handler("catalog")
	catalog.Served(time.Millisecond, "")
	catalog.Served(time.Millisecond, "trap")
	catalog.Started(time.Millisecond)
	catalog.Restored(time.Microsecond, 5*pageBytes)
	catalog.Ended("trap")
	wantMetrics(t, m, nil,
		`lectern_http_requests_total{route="GET /home",status="200",worker="4"} 2`,
		`lectern_http_request_seconds_count{route="GET /home",worker="4"} 2`,
		`lectern_http_request_seconds_sum{route="GET /home",worker="4"} 0.07`,
		`lectern_sandbox_call_seconds_count{handler="catalog",worker="4"} 2`,
		`lectern_sandbox_failures_total{cause="trap",handler="catalog",worker="4"} 1`,
		`lectern_sandbox_start_seconds_count{handler="catalog",worker="4"} 1`,
		`lectern_sandbox_reset_seconds_count{handler="catalog",worker="4"} 1`,
		`lectern_sandbox_restored_pages_sum{handler="catalog",worker="4"} 5`,
		`lectern_sandbox_ended_total{handler="catalog",reason="trap",worker="4"} 1`,
		`go_goroutines{worker="4"}`)
}

// wantMetrics looks for lines in the answer of Handler.
func wantMetrics(t *testing.T, m *Metrics, others prometheus.Gatherer, lines ...string) {
	t.Helper()
	body := ask(m.Handler(others), nil).Body.String()
	for _, line := range lines {
		want, absent := strings.CutPrefix(line, "!")
		if strings.Contains(body, want) == absent {
			t.Errorf("/metrics has %s: %t", want, absent)
		}
	}
}

// share makes a worker's measurements known until the test ends.
func share(t *testing.T, m *Metrics, dir string) io.Closer {
	t.Helper()
	c, err := m.Share(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() }) // a test may have closed it
	return c
}

// TestPeersAreMerged shows all workers of a node whichever is asked, each once.
func TestPeersAreMerged(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var workers []*Metrics
	var shared []io.Closer
	for i := range 3 {
		m := NewMetrics(i)
		for range i + 1 {
			m.Request("GET /home", 200, time.Millisecond)
		}
		workers, shared = append(workers, m), append(shared, share(t, m, dir))
	}
	for _, m := range workers {
		wantMetrics(t, m, m.Peers(dir, 3),
			`lectern_http_requests_total{route="GET /home",status="200",worker="0"} 1`,
			`lectern_http_requests_total{route="GET /home",status="200",worker="1"} 2`,
			`lectern_http_requests_total{route="GET /home",status="200",worker="2"} 3`,
			`go_goroutines{worker="0"}`, `go_goroutines{worker="2"}`)
	}
	if err := shared[1].Close(); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, workers[0], workers[0].Peers(dir, 3), `worker="0"} 1`, `!worker="1"}`, `worker="2"} 3`)
	// One that was killed leaves its socket; the one that replaces it answers.
	if err := os.WriteFile(socket(dir, "1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wantMetrics(t, workers[0], workers[0].Peers(dir, 3), `worker="0"} 1`, `!worker="1"}`, `worker="2"} 3`)
	share(t, workers[1], dir)
	wantMetrics(t, workers[0], workers[0].Peers(dir, 3), `worker="1"} 2`)
	if _, err := workers[0].Share(filepath.Join(dir, "none")); err == nil {
		t.Error("a missing directory gives no error")
	}
}

// TestStrangePeers ask one that talks nonsense and one that says nothing: the
// own measurements are shown regardless, and soon.
func TestStrangePeers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ says, fault string }{"nonsense": {"\xff\xffnonsense", "malformed"}, "nothing": {"", ""}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			l, err := net.Listen("unix", socket(dir, "1"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = l.Close() }) // the test is over
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					if _, err := c.Write([]byte(tt.says)); tt.says != "" {
						_ = errors.Join(err, c.Close()) // the asker may have gone
					}
				}
			}()
			m := NewMetrics(0)
			m.Request("GET /home", 200, time.Millisecond)
			if _, err := m.Peers(dir, 2).Gather(); tt.fault != "" && (err == nil || !strings.Contains(err.Error(), tt.fault)) {
				t.Errorf("the error is %v", err)
			}
			wantMetrics(t, m, m.Peers(dir, 2), `worker="0"} 1`)
		})
	}
}

// FuzzDecode reads any bytes of another worker: an error or measurements that
// can be gathered, never a panic.
func FuzzDecode(f *testing.F) {
	small := &Metrics{registry: prometheus.NewRegistry()}
	count := prometheus.NewCounter(prometheus.CounterOpts{Name: "a", Help: "b"})
	small.registry.MustRegister(count)
	count.Inc()
	good, err := small.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:len(good)/2])
	f.Add([]byte{})
	f.Add([]byte("\x05\x0a\x03abc"))
	f.Add([]byte("\xff\xff\xff\xff\x7f"))
	f.Fuzz(func(t *testing.T, data []byte) {
		families, err := decode(data)
		if err != nil && families != nil {
			t.Error("an error comes with measurements")
		}
		for _, family := range families {
			if family == nil {
				t.Error("a family is missing")
			}
		}
	})
}
