package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/store"
)

// countFailures returns a function that counts a failure of the database, and one
// with a cause that is unknown as other.
func countFailures(registry prometheus.Registerer) func(store.Cause) {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "database_failures_total",
		Help: "Errors UNAVAILABLE because of the database, by cause.",
	}, []string{"cause"})
	registry.MustRegister(counters)
	known := map[store.Cause]prometheus.Counter{}
	for _, cause := range store.Causes() {
		known[cause] = counters.WithLabelValues(string(cause))
	}
	return func(cause store.Cause) {
		counter, ok := known[cause]
		if !ok {
			counter = known[store.CauseOther]
		}
		counter.Inc()
	}
}
