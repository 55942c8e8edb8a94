package debug

import (
	"net/http"
	"strconv"
	"sync"
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
	// series has what a request is counted in by its route and status, so that
	// Prometheus need not look for it by their text each time.
	series sync.Map              // of seriesKey to requestSeries
	in     prometheus.Registerer // adds the worker's number
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

// seriesKey finds the series of a kind of answers.
type seriesKey struct {
	route  string
	status int
}

// requestSeries is what an answer is counted in.
type requestSeries struct {
	count    prometheus.Counter
	duration prometheus.Observer
}

// Request counts an answered request; it has the form that server.Options
// takes. Routes are patterns, so there is a bounded number of series.
func (m *Metrics) Request(route string, status int, took time.Duration) {
	key := seriesKey{route, status}
	found, ok := m.series.Load(key)
	if !ok {
		found, _ = m.series.LoadOrStore(key, requestSeries{
			m.requests.WithLabelValues(route, strconv.Itoa(status)), m.duration.WithLabelValues(route),
		})
	}
	s := found.(requestSeries)
	s.count.Inc()
	s.duration.Observe(took.Seconds())
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
