package metrics

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// methods returns the labels that httpd distinguishes.
func methods() []string {
	return []string{
		http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions, other,
	}
}

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
func countRequests(registry prometheus.Registerer) func(string, int, time.Duration) {
	counters := prometheus.NewCounterVec(prometheus.CounterOpts{
		Namespace: namespace, Name: "http_requests_total",
		Help: "HTTP requests by method and class of the status; none if the connection was cut before there was one.",
	}, []string{"method", "status"})
	took := prometheus.NewHistogram(prometheus.HistogramOpts{
		Namespace: namespace, Name: "http_request_duration_seconds",
		Help: "Time from the head of a request to the end of its answer.", Buckets: durations(),
	})
	registry.MustRegister(counters, took)
	known := map[string]*[len(classes)]prometheus.Counter{}
	for _, method := range methods() {
		known[method] = &[len(classes)]prometheus.Counter{}
		for i, class := range classes {
			known[method][i] = counters.WithLabelValues(method, class)
		}
	}
	return func(method string, status int, duration time.Duration) {
		byClass, ok := known[method]
		if !ok {
			byClass = known[other]
		}
		byClass[class(status)].Inc()
		took.Observe(duration.Seconds())
	}
}
