package metrics

import "github.com/prometheus/client_golang/prometheus"

// operationTypes are the types of GraphQL, and that of a document that has none.
func operationTypes() []string { return []string{"query", "mutation", "subscription", other} }

// outcomes are ok: no errors; partial: data, and errors of the request; refused: errors
// of the request and no data; failed: an error of the server or of its database.
func outcomes() []string { return []string{"ok", "partial", "refused", "failed"} }

// countOperations creates all counters first, so that an operation looks up no labels.
func countOperations(registry prometheus.Registerer, codes []string) func(typ, outcome string, codes []string) {
	operations := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "graphql_operations_total",
		Help: "GraphQL operations, also those of REST addresses, by type and outcome.",
	}, []string{"type", "outcome"})
	errs := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "errors_total", Help: "Errors of GraphQL operations by extensions.code.",
	}, []string{"code"})
	registry.MustRegister(operations, errs)
	known := map[[2]string]prometheus.Counter{}
	for _, typ := range operationTypes() {
		for _, outcome := range outcomes() {
			known[[2]string{typ, outcome}] = operations.WithLabelValues(typ, outcome)
		}
	}
	knownCodes, unknown := map[string]prometheus.Counter{}, errs.WithLabelValues(other)
	for _, code := range codes {
		knownCodes[code] = errs.WithLabelValues(code)
	}
	return func(typ, outcome string, codes []string) {
		counter, ok := known[[2]string{typ, outcome}]
		if !ok {
			counter = known[[2]string{other, outcome}]
		}
		counter.Inc()
		for _, code := range codes {
			if counter, ok := knownCodes[code]; ok {
				counter.Inc()
			} else {
				unknown.Inc()
			}
		}
	}
}
