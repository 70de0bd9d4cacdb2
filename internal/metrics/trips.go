package metrics

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/store"
)

// poolNames are the names of the pools of a store.
func poolNames() []string { return []string{"reads", "writes", "reserved_reads", "reserved_writes"} }

// purposes are those of hashed passwords.
func purposes() []string { return []string{"login", "register"} }

// countTrips returns a function that counts the statements of a round trip, and its time.
func countTrips(registry prometheus.Registerer) func(context.Context, store.Trip) {
	took := histogram(registry, "database_round_trip_seconds",
		"Time of a round trip to PostgreSQL, from sending its statements to their last row.", "pool", poolNames())
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "database_statements_total", Help: "SQL statements that were sent.",
	}, []string{"pool"})
	registry.MustRegister(counters)
	statements := map[string]prometheus.Counter{}
	for _, pool := range poolNames() {
		statements[pool] = counters.WithLabelValues(pool)
	}
	return func(_ context.Context, t store.Trip) {
		statements[t.Pool].Add(float64(t.Count))
		took[t.Pool].Observe(t.Took.Seconds())
	}
}

// countHashWaits returns a function that counts how long a password waited to be hashed.
func countHashWaits(registry prometheus.Registerer) func(purpose string, waited time.Duration) {
	waits := histogram(registry, "hash_wait_seconds", "Time that a password waits to be hashed.", "purpose", purposes())
	return func(purpose string, waited time.Duration) { waits[purpose].Observe(waited.Seconds()) }
}

// histogram returns the series of all values of a label.
func histogram(registry prometheus.Registerer, name, help, label string, values []string) map[string]prometheus.Observer {
	all := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: durations()}, []string{label})
	registry.MustRegister(all)
	series := map[string]prometheus.Observer{}
	for _, value := range values {
		series[value] = all.WithLabelValues(value)
	}
	return series
}
