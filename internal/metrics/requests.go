package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/caregraph/caregraph/internal/httpd"
)

// methods returns the labels that httpd distinguishes.
func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions, other,
	}
}

// kinds are the labels of what was asked for.
func kinds() []string { return []string{httpd.GraphQL, httpd.REST, httpd.Page, httpd.Probe} }

// classes are the labels of a status, by its hundreds. None: the connection
// ended before a status was sent.
var classes = [...]string{"none", "1xx", "2xx", "3xx", "4xx", "5xx"}

func class(status int) int { return min(max(status/100, 0), len(classes)-1) }

// durations returns bucket bounds in seconds, up to the default request timeout.
func durations() []float64 {
	return []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 15}
}

// countRequests creates all counters first, so that a request looks up no
// labels.
func countRequests(registry prometheus.Registerer) func(method, kind string, status int, took time.Duration) {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "http_requests_total",
		Help: "HTTP requests by method, kind, and class of the status; none if the connection was cut before there was one.",
	}, []string{"method", "kind", "status"})
	took := prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "http_request_duration_seconds",
		Help: "Time from the head of a request to the end of its answer, without probes.", Buckets: durations(),
	})
	registry.MustRegister(counters, took)
	known := map[[2]string]*[len(classes)]prometheus.Counter{}
	for _, method := range methods() {
		for _, kind := range kinds() {
			byClass := &[len(classes)]prometheus.Counter{}
			for i, class := range classes {
				byClass[i] = counters.WithLabelValues(method, kind, class)
			}
			known[[2]string{method, kind}] = byClass
		}
	}
	return func(method, kind string, status int, duration time.Duration) {
		byClass, ok := known[[2]string{method, kind}]
		if !ok {
			byClass = known[[2]string{other, kind}]
		}
		byClass[class(status)].Inc()
		if kind != httpd.Probe {
			took.Observe(duration.Seconds())
		}
	}
}
