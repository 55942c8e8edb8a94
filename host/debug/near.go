package debug

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/lectern-lms/lectern/kv/near"
)

// nearMetric is one number of a near cache, read when it is asked for.
type nearMetric struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(near.Stats) float64
}

// nearCollector shows the near caches of a process, by bucket.
type nearCollector struct {
	caches  map[string]*near.Store
	metrics []nearMetric
}

// WatchNear adds the near caches, by the names of their buckets. It is called
// once.
func (m *Metrics) WatchNear(caches map[string]*near.Store) {
	c := &nearCollector{caches: caches}
	add := func(kind prometheus.ValueType, name, help string, value func(near.Stats) float64) {
		c.metrics = append(c.metrics, nearMetric{prometheus.NewDesc("lectern_near_"+name, help, []string{"bucket"}, nil), kind, value})
	}
	count := func(name, help string, value func(near.Stats) uint64) {
		add(prometheus.CounterValue, name, help, func(s near.Stats) float64 { return float64(value(s)) })
	}
	count("hits_total", "Reads answered from memory.", func(s near.Stats) uint64 { return s.Hits })
	count("misses_total", "Reads of what was not kept.", func(s near.Stats) uint64 { return s.Misses })
	count("pass_throughs_total", "Reads while the lease was out.", func(s near.Stats) uint64 { return s.PassThroughs })
	count("joins_total", "Reads that shared another one's question to the store.", func(s near.Stats) uint64 { return s.Joins })
	count("refusals_total", "Reads refused, since the store could not be confirmed.", func(s near.Stats) uint64 { return s.Refusals })
	count("evictions_total", "Entries and pages that left for want of room.", func(s near.Stats) uint64 { return s.Evictions })
	count("feed_restarts_total", "Feeds that ended, after which everything was dropped.", func(s near.Stats) uint64 { return s.Restarts })
	count("heartbeats_total", "Heartbeats written.", func(s near.Stats) uint64 { return s.Beats })
	count("fences_total", "Waits for all processes to forget what was.", func(s near.Stats) uint64 { return s.Fences })
	gauge := func(name, help string, value func(near.Stats) float64) { add(prometheus.GaugeValue, name, help, value) }
	gauge("entries", "Keys that are kept.", func(s near.Stats) float64 { return float64(s.Items) })
	gauge("bytes", "Memory of what is kept.", func(s near.Stats) float64 { return float64(s.Bytes) })
	gauge("members", "Other processes that may answer from memory.", func(s near.Stats) float64 { return float64(s.Members) })
	gauge("leased", "1 while reads are answered from memory.", func(s near.Stats) float64 {
		if s.Leased {
			return 1
		}
		return 0
	})
	gauge("feed_lag_seconds", "How long the last heartbeat took to come back.", func(s near.Stats) float64 { return s.Lag.Seconds() })
	m.in.MustRegister(c)
}

// Describe implements [prometheus.Collector].
func (c *nearCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		out <- m.desc
	}
}

// Collect implements [prometheus.Collector].
func (c *nearCollector) Collect(out chan<- prometheus.Metric) {
	for bucket, cache := range c.caches {
		s := cache.Stats()
		for _, m := range c.metrics {
			out <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(s), bucket)
		}
	}
}
