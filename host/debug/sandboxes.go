package debug

import (
	"time"

	"github.com/lectern-lms/lectern/host/engine"
	"github.com/prometheus/client_golang/prometheus"
)

// pageBytes is the unit of lectern_sandbox_restored_pages.
const pageBytes = 4096

// sandboxMetrics are the measurements of the engine.
type sandboxMetrics struct {
	calls, starts, resets, pages *prometheus.HistogramVec
	failures, ended              *prometheus.CounterVec
}

// newSandboxMetrics makes them.
func newSandboxMetrics() sandboxMetrics {
	histogram := func(name, help string, least float64, buckets int) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(least, 2, buckets),
		}, []string{"handler"})
	}
	counter := func(name, help, label string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{"handler", label})
	}
	return sandboxMetrics{
		calls:    histogram("lectern_sandbox_call_seconds", "Time that a handler worked on a request, host calls included.", 20e-6, 18),
		starts:   histogram("lectern_sandbox_start_seconds", "Time to clone a sandbox from its image.", 100e-6, 12),
		resets:   histogram("lectern_sandbox_reset_seconds", "Time to bring a sandbox back to its image.", 1e-6, 14),
		pages:    histogram("lectern_sandbox_restored_pages", "Pages of 4 KiB copied to bring a sandbox back to its image.", 1, 12),
		failures: counter("lectern_sandbox_failures_total", "Requests that a handler could not answer, by cause.", "cause"),
		ended:    counter("lectern_sandbox_ended_total", "Sandboxes given up, by the failure's cause, or idle, room (for another handler), reset (it failed), closed.", "reason"),
	}
}

// collectors lists them.
func (m sandboxMetrics) collectors() []prometheus.Collector {
	return []prometheus.Collector{m.calls, m.starts, m.resets, m.pages, m.failures, m.ended}
}

// Describe implements prometheus.Collector.
func (m sandboxMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, c := range m.collectors() {
		c.Describe(out)
	}
}

// Collect implements prometheus.Collector.
func (m sandboxMetrics) Collect(out chan<- prometheus.Metric) {
	for _, c := range m.collectors() {
		c.Collect(out)
	}
}

// Sandboxes receives the engine's measurements.
func (m *Metrics) Sandboxes() engine.Observer { return m.sandboxMetrics }

// Handler implements engine.Observer. The handler's name is looked up here,
// once, and not in each request.
func (m sandboxMetrics) Handler(name string) engine.Meter {
	return handlerMeter{
		name: name, all: m, calls: m.calls.WithLabelValues(name), starts: m.starts.WithLabelValues(name),
		resets: m.resets.WithLabelValues(name), pages: m.pages.WithLabelValues(name),
	}
}

// handlerMeter is one handler's part of the measurements.
type handlerMeter struct {
	name                         string
	all                          sandboxMetrics
	calls, starts, resets, pages prometheus.Observer
}

// Served implements engine.Meter.
func (h handlerMeter) Served(took time.Duration, failure string) {
	h.calls.Observe(took.Seconds())
	if failure != "" {
		h.all.failures.WithLabelValues(h.name, failure).Inc()
	}
}

// Started implements engine.Meter.
func (h handlerMeter) Started(took time.Duration) { h.starts.Observe(took.Seconds()) }

// Restored implements engine.Meter.
func (h handlerMeter) Restored(took time.Duration, bytes int) {
	h.resets.Observe(took.Seconds())
	h.pages.Observe(float64(bytes) / pageBytes)
}

// Ended implements engine.Meter.
func (h handlerMeter) Ended(reason string) { h.all.ended.WithLabelValues(h.name, reason).Inc() }

// usageGauge tells how many sandboxes there are when it is asked.
type usageGauge struct {
	handlers  []*engine.Handler
	sandboxes *prometheus.Desc
	waiting   *prometheus.Desc
	most      *prometheus.Desc
}

// WatchSandboxes adds the numbers of the handlers' sandboxes to the
// measurements, as they are at the moment of each look. It is called once.
func (m *Metrics) WatchSandboxes(handlers []*engine.Handler) {
	m.in.MustRegister(&usageGauge{
		handlers:  handlers,
		sandboxes: prometheus.NewDesc("lectern_sandboxes", "Sandboxes of a handler, by state: in_use or idle.", []string{"handler", "state"}, nil),
		waiting:   prometheus.NewDesc("lectern_sandbox_waiting", "Requests that wait for a sandbox.", []string{"handler"}, nil),
		most:      prometheus.NewDesc("lectern_sandboxes_max", "Sandboxes that a handler may have.", []string{"handler"}, nil),
	})
}

// Describe implements prometheus.Collector.
func (g *usageGauge) Describe(out chan<- *prometheus.Desc) {
	out <- g.sandboxes
	out <- g.waiting
	out <- g.most
}

// Collect implements prometheus.Collector.
func (g *usageGauge) Collect(out chan<- prometheus.Metric) {
	for _, h := range g.handlers {
		name, u := h.Manifest().Name, h.Usage()
		send := func(d *prometheus.Desc, value int, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), append([]string{name}, labels...)...)
		}
		send(g.sandboxes, u.InUse, "in_use")
		send(g.sandboxes, u.Idle, "idle")
		send(g.waiting, u.Waiting)
		send(g.most, u.Most)
	}
}
