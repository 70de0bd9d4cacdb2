// Package metrics counts requests, queries and connections for operators, and
// serves the numbers in the Prometheus format on an address of its own. The
// values of labels are from closed sets, known before the first request: never
// a path, an id, an account or anything else that a client wrote.
package metrics

import (
	"context"
	"encoding/json"
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
	// scrapeTimeout limits one answer, also when the server stops.
	scrapeTimeout = 5 * time.Second
)

// Metrics counts. The zero value counts nothing and costs nothing: its functions
// are nil.
type Metrics struct {
	// Answered counts a query or a mutation by its type and the kind of its answer, for
	// graph.Config.
	Answered func(ctx context.Context, typ, how string)
	// Operation counts a GraphQL operation by its type and its outcome, and each of its
	// errors by its code, for graph.Config.
	Operation func(typ, outcome string, codes []string)
	// Done counts a finished request, for httpd.Options.
	Done func(method, kind string, status int, took time.Duration)
	// Failed counts a failure of the database by its cause, for store.Options.
	Failed func(store.Cause)
	// Trip counts a round trip to the database, for store.Options.
	Trip func(context.Context, store.Trip)
	// HashWaited counts how long a password waited to be hashed, for auth.Hasher.
	HashWaited func(purpose string, waited time.Duration)

	addr    string
	handler http.Handler
}

// Options say what is counted.
type Options struct {
	// Build is the label values of build_info, and the answer to GET /health.
	Build map[string]string
	// Pools returns the state of the connection pools. Each scrape calls it.
	Pools func() []store.PoolStats
	// AnswerKinds are the labels of Answered, ErrorCodes those of the codes of Operation.
	AnswerKinds, ErrorCodes []string
	// Up returns which pools work, and whether the listener does. Unannounced counts
	// messages about ended sessions that could not be sent.
	Up          func() map[string]bool
	Unannounced func() int64
	// Recalls counts sessions by whether they were certain without a round trip. Unproven is
	// for how long they could not be, if the server listens.
	Recalls  func() map[string]int64
	Unproven func() (age time.Duration, listens bool)
	// SignIns counts passwords by their result, Hashing those that wait by their purpose,
	// Throttled refused attempts by whose budget was used up.
	SignIns, Hashing, Throttled func() map[string]int64
	// Mails counts tries to send a mail by their result.
	Mails func() map[string]int64
	// Streams counts the open streams by their transport, StreamCloses those that have ended
	// by their code.
	Streams, StreamCloses func() map[string]int64
	// Subscriptions counts the open subscriptions, Pushes their answers by field. Feed returns
	// how many changes were read, and how old the oldest of the last ones was.
	Subscriptions func() int64
	Pushes        func() map[string]int64
	Feed          func() (changes int64, lag time.Duration)
	// FeedResets counts devices that had to start again.
	FeedResets func() int64
	// Swept returns the removed rows of each table, and when this was done last.
	Swept func() (rows map[string]int64, at time.Time)
	// Archive is what PostgreSQL says of its archive; nil if there is none.
	Archive func() *store.Archive
	// LogDropped counts lines that the log could not take.
	LogDropped func() int64
	// LastBackup, Disk and ExecutableDeleted are about the private PostgreSQL; nil without
	// one. LastBackup is zero for no backup.
	LastBackup        func() time.Time
	Disk              func() (free, size int64, err error)
	ExecutableDeleted func() bool
	// CertificateEnds is when the certificate of the server ends; nil without TLS.
	CertificateEnds func() time.Time
}

// New returns the metrics for the address addr, or the zero value if addr is
// empty.
func New(addr string, o Options) Metrics {
	if addr == "" {
		return Metrics{}
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		poolCollector(o.Pools),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Namespace: namespace, Name: "build_info", Help: "1. The labels say which build it is.", ConstLabels: o.Build,
		}, func() float64 { return 1 }),
	)
	for _, n := range o.numbers() {
		registry.MustRegister(n)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(o.Build) // the client may be gone
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	return Metrics{
		Answered:   countAnswers(registry, o.AnswerKinds),
		Operation:  countOperations(registry, o.ErrorCodes),
		Done:       countRequests(registry),
		Failed:     countFailures(registry),
		Trip:       countTrips(registry),
		HashWaited: countHashWaits(registry),
		addr:       addr,
		handler:    mux,
	}
}

// Start serves the metrics until the caller calls stop, which waits for running
// scrapes. The end of ctx does not stop it. The address is nil for the zero
// value. The error names the flag.
func (m Metrics) Start(ctx context.Context, log *slog.Logger) (addr net.Addr, stop func(), err error) {
	if m.handler == nil {
		return nil, func() {}, nil
	}
	listener, err := httpd.Listen(ctx, "--metrics-addr", m.addr)
	if err != nil {
		return nil, nil, err
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
