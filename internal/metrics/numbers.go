package metrics

import "github.com/prometheus/client_golang/prometheus"

// number is a metric whose values each scrape reads.
type number struct {
	name, help string
	kind       prometheus.ValueType
	// label is the name of the one label, whose values are the keys of values; "" for a
	// metric without labels.
	label  string
	values func() map[string]float64
}

// numbers returns the metrics that the options have.
func (o Options) numbers() []number {
	all := []number{{
		"database_up", "1 if the connections of the pool, or the listener for ended sessions, work now, else 0.",
		prometheus.GaugeValue, "pool", func() map[string]float64 {
			values := map[string]float64{}
			for pool, up := range o.Up() {
				values[pool] = truth(up)
			}
			return values
		},
	}, {
		"sessions_unannounced_total", "Messages about ended sessions that could not be sent. Other servers then refuse the session within 30 seconds.",
		prometheus.CounterValue, "", one(func() float64 { return float64(o.Unannounced()) }),
	}, {
		"sign_ins_total", "Passwords that were right or wrong, or not compared after too many failures.",
		prometheus.CounterValue, "outcome", many(o.SignIns),
	}, {
		"hash_queue", "Passwords that are hashed or wait for it.", prometheus.GaugeValue, "purpose", many(o.Hashing),
	}, {
		"mails_total", "Mails that were sent; tries that failed, after which the mail waits; and mails given up after three days.",
		prometheus.CounterValue, "outcome", many(o.Mails),
	}, {
		"streams", "Open WebSockets and event streams.", prometheus.GaugeValue, "", one(func() float64 { return float64(o.Streams()) }),
	}, {
		"stream_closes_total", "WebSockets and event streams that have ended, by the code of WebSocket; 1006 is a lost connection.",
		prometheus.CounterValue, "code", many(o.StreamCloses),
	}, {
		"subscriptions", "Open subscriptions.", prometheus.GaugeValue, "", one(func() float64 { return float64(o.Subscriptions()) }),
	}, {
		"pushes_total", "Answers that subscriptions have sent, by their field.", prometheus.CounterValue, "field", many(o.Pushes),
	}, {
		"feed_changes_total", "Rows of the change feed that this server has read.", prometheus.CounterValue, "", one(func() float64 {
			changes, _ := o.Feed()
			return float64(changes)
		}),
	}, {
		"feed_lag_seconds", "Age of the oldest change that was read last.", prometheus.GaugeValue, "", one(func() float64 {
			_, lag := o.Feed()
			return lag.Seconds()
		}),
	}}
	if o.FreeDisk != nil {
		all = append(all, number{
			"disk_free_bytes", "Free bytes of the disk with the database; -1 if unknown.", prometheus.GaugeValue, "", one(func() float64 {
				free, err := o.FreeDisk()
				if err != nil {
					return -1
				}
				return float64(free)
			}),
		})
	}
	if o.ExecutableDeleted != nil {
		all = append(all, number{
			"postgres_executable_deleted", "1 if the executable of the private PostgreSQL was deleted or replaced since its start, else 0.",
			prometheus.GaugeValue, "", one(func() float64 { return truth(o.ExecutableDeleted()) }),
		})
	}
	return all
}

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func one(value func() float64) func() map[string]float64 {
	return func() map[string]float64 { return map[string]float64{"": value()} }
}

func many(counts func() map[string]int64) func() map[string]float64 {
	return func() map[string]float64 {
		values := map[string]float64{}
		for label, n := range counts() {
			values[label] = float64(n)
		}
		return values
	}
}

func (n number) description() *prometheus.Desc {
	var labels []string
	if n.label != "" {
		labels = []string{n.label}
	}
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", n.name), n.help, labels, nil)
}

// Describe sends the description of the metric.
func (n number) Describe(out chan<- *prometheus.Desc) { out <- n.description() }

// Collect sends the present values.
func (n number) Collect(out chan<- prometheus.Metric) {
	for label, value := range n.values() {
		labels := []string{label}
		if n.label == "" {
			labels = nil
		}
		out <- prometheus.MustNewConstMetric(n.description(), n.kind, value, labels...)
	}
}
