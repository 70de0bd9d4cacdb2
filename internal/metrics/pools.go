package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/store"
)

// poolCollector reads the state of the database pools on each scrape.
type poolCollector func() []store.PoolStats

// poolMetric is one number of each pool.
type poolMetric struct {
	description *prometheus.Desc
	kind        prometheus.ValueType
	value       func(store.PoolStats) float64
}

func poolMetrics() []poolMetric {
	metric := func(name, help string, kind prometheus.ValueType, value func(store.PoolStats) float64) poolMetric {
		full := prometheus.BuildFQName(namespace, "database", name)
		return poolMetric{prometheus.NewDesc(full, help, []string{"pool"}, nil), kind, value}
	}
	return []poolMetric{
		metric("connections_in_use", "Connections to the database that are working for a request.",
			prometheus.GaugeValue, func(p store.PoolStats) float64 { return float64(p.InUse) }),
		metric("connections_idle", "Connections to the database that are open and have nothing to do.",
			prometheus.GaugeValue, func(p store.PoolStats) float64 { return float64(p.Idle) }),
		metric("connections_max", "Most connections to the database that may be open.",
			prometheus.GaugeValue, func(p store.PoolStats) float64 { return float64(p.Max) }),
		metric("acquired_total", "How often a connection was taken.",
			prometheus.CounterValue, func(p store.PoolStats) float64 { return float64(p.Acquired) }),
		metric("acquire_timeouts_total", "How often the time was over before there was a connection.",
			prometheus.CounterValue, func(p store.PoolStats) float64 { return float64(p.TimedOut) }),
		metric("connections_opened_total", "How often a connection was opened.",
			prometheus.CounterValue, func(p store.PoolStats) float64 { return float64(p.Opened) }),
		metric("waits_total", "How often no open connection was free.",
			prometheus.CounterValue, func(p store.PoolStats) float64 { return float64(p.Waits) }),
		metric("wait_seconds_total", "Time spent then, until one was opened or free.",
			prometheus.CounterValue, func(p store.PoolStats) float64 { return p.Waited.Seconds() }),
	}
}

// Describe sends the descriptions of all metrics that Collect sends.
func (poolCollector) Describe(out chan<- *prometheus.Desc) {
	for _, m := range poolMetrics() {
		out <- m.description
	}
}

// Collect sends the present numbers of each pool.
func (pools poolCollector) Collect(out chan<- prometheus.Metric) {
	now := pools()
	for _, m := range poolMetrics() {
		for _, pool := range now {
			out <- prometheus.MustNewConstMetric(m.description, m.kind, m.value(pool), pool.Name)
		}
	}
}
