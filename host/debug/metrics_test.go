package debug

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/lectern-lms/lectern/kv/jetstream"
	"github.com/nats-io/nats.go"
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

// node starts a node's server and gives connections to it.
func node(t *testing.T) func() *nats.Conn {
	t.Helper()
	s, err := jetstream.StartServer(jetstream.ServerOptions{Dir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return func() *nats.Conn {
		nc, err := s.Connect("metrics")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
}

// TestPeersAreMerged shows all workers of a node whichever is asked, each once.
func TestPeersAreMerged(t *testing.T) {
	t.Parallel()
	connect := node(t)
	var workers []*Metrics
	var conns []*nats.Conn
	for i := range 3 {
		m, nc := NewMetrics(i), connect()
		for range i + 1 {
			m.Request("GET /home", 200, time.Millisecond)
		}
		share(t, m, nc)
		workers, conns = append(workers, m), append(conns, nc)
	}
	for i, m := range workers {
		wantMetrics(t, m, m.Peers(conns[i], 3),
			`lectern_http_requests_total{route="GET /home",status="200",worker="0"} 1`,
			`lectern_http_requests_total{route="GET /home",status="200",worker="1"} 2`,
			`lectern_http_requests_total{route="GET /home",status="200",worker="2"} 3`,
			`go_goroutines{worker="0"}`, `go_goroutines{worker="2"}`)
	}
	conns[1].Close()
	wantMetrics(t, workers[0], workers[0].Peers(conns[0], 3), `worker="0"} 1`, `!worker="1"}`, `worker="2"} 3`)
	conns[0].Close()
	if _, err := workers[0].Peers(conns[0], 3).Gather(); err == nil {
		t.Error("a closed connection gives no error")
	}
	wantMetrics(t, workers[0], workers[0].Peers(conns[0], 3), `worker="0"} 1`, `!worker="2"}`)
}

// share makes a worker's measurements known, and waits until the node has it.
func share(t *testing.T, m *Metrics, nc *nats.Conn) {
	t.Helper()
	if err := m.Share(nc); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
}

// TestStrangePeer answers nonsense: the own measurements are shown regardless.
func TestStrangePeer(t *testing.T) {
	t.Parallel()
	connect := node(t)
	m, nc, stranger := NewMetrics(0), connect(), connect()
	m.Request("GET /home", 200, time.Millisecond)
	_, err := stranger.Subscribe(metricsSubject, func(msg *nats.Msg) {
		if err := msg.Respond([]byte("\xff\xffnonsense")); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Flush(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Peers(nc, 2).Gather(); err == nil || !strings.Contains(err.Error(), "malformed") {
		t.Errorf("the error is %v", err)
	}
	wantMetrics(t, m, m.Peers(nc, 2), `worker="0"} 1`)
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
