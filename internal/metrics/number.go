package metrics

import "github.com/prometheus/client_golang/prometheus"

// number is a metric whose values each scrape reads.
type number struct {
	name, help string
	kind       prometheus.ValueType
	// label is the name of the one label, whose values are the keys of values; "" for a
	// metric without labels.
	label string
	// values are those that there are now. A metric without a value has no series.
	values func() map[string]float64
}

const (
	counter = prometheus.CounterValue
	gauge   = prometheus.GaugeValue
)

func truth(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

func one(value func() float64) func() map[string]float64 {
	return func() map[string]float64 { return map[string]float64{"": value()} }
}

// maybe is one for a value that there may not be.
func maybe(value func() (float64, bool)) func() map[string]float64 {
	return func() map[string]float64 {
		if v, ok := value(); ok {
			return map[string]float64{"": v}
		}
		return nil
	}
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
