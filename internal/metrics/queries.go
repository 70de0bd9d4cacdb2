package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/graph"
	"github.com/caregraph/caregraph/graph/plan"
)

// other stands for what is in none of the sets.
const other = "other"

// answers are the ways to answer a query that are told apart. The fields for
// which there is no plan are not: they are "other".
func answers() []string {
	return []string{
		graph.Compiled, "unauthenticated",
		plan.ReasonArguments, plan.ReasonIntrospection, plan.ReasonRefused, plan.ReasonSize,
		other,
	}
}

func countQueries(registry prometheus.Registerer) func(context.Context, string) {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "queries_total",
		Help: "GraphQL queries, also those of REST addresses: answered by a compiled plan, or why by gqlgen's executor.",
	}, []string{"answered"})
	registry.MustRegister(counters)
	known := map[string]prometheus.Counter{}
	for _, how := range answers() {
		known[how] = counters.WithLabelValues(how)
	}
	return func(_ context.Context, how string) {
		counter, ok := known[how]
		if !ok {
			counter = known[other]
		}
		counter.Inc()
	}
}
