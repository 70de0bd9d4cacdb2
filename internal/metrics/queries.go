package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// other is the label of a value that is in none of the sets.
const other = "other"

// countQueries returns a function that counts a query by the kind of its
// answer, and a kind that is not in the list as other.
func countQueries(registry prometheus.Registerer, kinds []string) func(context.Context, string) {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "queries_total",
		Help: "GraphQL queries, also those of REST addresses: answered by a compiled plan, or why by gqlgen's executor.",
	}, []string{"answered"})
	registry.MustRegister(counters)
	unknown := counters.WithLabelValues(other)
	known := map[string]prometheus.Counter{}
	for _, kind := range kinds {
		known[kind] = counters.WithLabelValues(kind)
	}
	return func(_ context.Context, kind string) {
		counter, ok := known[kind]
		if !ok {
			counter = unknown
		}
		counter.Inc()
	}
}
