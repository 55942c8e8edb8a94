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
	in       prometheus.Registerer // adds the worker's number
	sandboxMetrics
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
		in: in, sandboxMetrics: newSandboxMetrics(),
	}
	in.MustRegister(m.requests, m.duration, m.sandboxMetrics,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Request counts an answered request; it has the form that server.Options
// takes.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(route).Observe(took.Seconds())
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
