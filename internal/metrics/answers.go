package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
)

// other is the label of a value that is in none of the sets.
const other = "other"

// countAnswers returns a function that counts a query or a mutation by the kind of its
// answer, and a kind that is not in the list as other.
func countAnswers(registry prometheus.Registerer, kinds []string) func(ctx context.Context, typ, kind string) {
	queries := countKinds(registry, kinds, prometheus.CounterOpts{
		Namespace: namespace, Name: "queries_total",
		Help: "GraphQL queries, also those of REST addresses: answered by a compiled plan, or why by gqlgen's executor.",
	})
	mutations := countKinds(registry, kinds, prometheus.CounterOpts{
		Namespace: namespace, Name: "mutations_total",
		Help: "GraphQL mutations, also those of REST addresses: answered by a compiled plan, or why by gqlgen's executor.",
	})
	return func(_ context.Context, typ, kind string) {
		if typ == "mutation" {
			mutations(kind)
		} else {
			queries(kind)
		}
	}
}

func countKinds(registry prometheus.Registerer, kinds []string, o prometheus.CounterOpts) func(kind string) {
	counters := prometheus.NewCounterVec(o, []string{"answered"})
	registry.MustRegister(counters)
	unknown := counters.WithLabelValues(other)
	known := map[string]prometheus.Counter{}
	for _, kind := range kinds {
		known[kind] = counters.WithLabelValues(kind)
	}
	return func(kind string) {
		counter, ok := known[kind]
		if !ok {
			counter = unknown
		}
		counter.Inc()
	}
}
