package debug

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are a process's measurements, in Prometheus's form. Every series
// carries the number of the worker, so that those of several processes stand
// side by side.
type Metrics struct {
	registry *prometheus.Registry
	worker   string
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	calls    *prometheus.HistogramVec
	failures *prometheus.CounterVec
	starts   *prometheus.HistogramVec
}

// NewMetrics makes the measurements of a worker.
func NewMetrics(worker int) *Metrics {
	registry := prometheus.NewRegistry()
	number := strconv.Itoa(worker)
	in := prometheus.WrapRegistererWith(prometheus.Labels{"worker": number}, registry)
	m := &Metrics{
		registry: registry, worker: number,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_http_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lectern_http_request_seconds", Help: "Time from reading a request to the end of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 15),
		}, []string{"route"}),
		calls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lectern_sandbox_call_seconds", Help: "Time that a handler worked on a request, host calls included.",
			Buckets: prometheus.ExponentialBuckets(0.0001, 2, 15),
		}, []string{"handler"}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "lectern_sandbox_failures_total", Help: "Requests that a handler could not answer, by cause.",
		}, []string{"handler", "cause"}),
		starts: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "lectern_sandbox_start_seconds", Help: "Time to start a sandbox.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 12),
		}, []string{"handler"}),
	}
	in.MustRegister(m.requests, m.duration, m.calls, m.failures, m.starts,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts an answered request; it has the form that server.Options
// takes.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
}

// Served implements engine.Observer.
func (m *Metrics) Served(handler string, took time.Duration, failure string) {
	m.calls.WithLabelValues(handler).Observe(took.Seconds())
	if failure != "" {
		m.failures.WithLabelValues(handler, failure).Inc()
	}
}

// Started implements engine.Observer.
func (m *Metrics) Started(handler string, took time.Duration) {
	m.starts.WithLabelValues(handler).Observe(took.Seconds())
}

// Handler answers with this process's measurements and those that others
// gives; nil for none.
func (m *Metrics) Handler(others prometheus.Gatherer) http.Handler {
	all := prometheus.Gatherers{m.registry}
	if others != nil {
		all = append(all, others)
	}
	return promhttp.HandlerFor(all, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}
