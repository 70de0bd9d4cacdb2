// Package metrics counts what operators want to know of a running server, and
// answers it in the Prometheus format on an address of its own. Labels have
// values from closed sets, known before the first request: never a path, an
// id, an account or anything else that a client wrote.
package metrics

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/caregraph/caregraph/internal/httpd"
	"github.com/caregraph/caregraph/store"
)

const (
	namespace = "caregraph"
	// scrapeTimeout is the time for one answer, also when the server stops.
	scrapeTimeout = 5 * time.Second
)

// Metrics is what is counted. The zero value counts nothing and costs nothing:
// its functions are nil.
type Metrics struct {
	// Answered counts a query by how it was answered, for graph.Config.
	Answered func(ctx context.Context, how string)
	// Done counts a request that is over, for httpd.Options.
	Done func(method string, status int, took time.Duration)

	addr    string
	handler http.Handler
}

// New returns the metrics that are to be served at addr, or the zero value if
// that is empty. The state of the pools is asked for by each scrape.
func New(addr string, pools func() []store.PoolStats) Metrics {
	if addr == "" {
		return Metrics{}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		poolCollector(pools),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return Metrics{
		Answered: countQueries(registry),
		Done:     countRequests(registry),
		addr:     addr,
		handler:  mux,
	}
}

// Start listens, and serves the metrics until stop is called, which waits for
// the scrapes in flight; ctx gives its values alone. It returns the address
// that it listens at, nil for the zero value. Its error names the setting.
func (m Metrics) Start(ctx context.Context, log *slog.Logger) (addr net.Addr, stop func(), err error) {
	if m.handler == nil {
		return nil, func() {}, nil
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", m.addr)
	if err != nil {
		return nil, nil, fmt.Errorf("--metrics-addr: %w", err)
	}
	ctx, end := context.WithCancel(context.WithoutCancel(ctx))
	over := make(chan struct{})
	go func() {
		defer close(over)
		o := httpd.Options{Log: log, RequestTimeout: scrapeTimeout, ShutdownTimeout: scrapeTimeout}
		if err := httpd.Serve(ctx, listener, m.handler, o); err != nil { // no reason to stop the clinic
			log.ErrorContext(ctx, "metrics", "error", err)
		}
	}()
	return listener.Addr(), func() { end(); <-over }, nil
}
