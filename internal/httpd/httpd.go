// Package httpd is what our HTTP server needs around its handlers: request ids,
// the access log, panics, security headers, CORS, limits, client addresses,
// probes, and a graceful shutdown. It does not know GraphQL or REST and holds
// no state between requests. It never logs a path, a query, a client address, a
// user agent or the text of a panic: each of them can identify a patient or
// contain patient data.
package httpd

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Options is the configuration of Handler and Serve.
type Options struct {
	// Log receives the access log and errors. Nil: nothing is logged.
	Log *slog.Logger
	// Now returns the time, for the durations of requests. Nil: time.Now.
	Now func() time.Time
	// OnDone is called after each request. The method is "other" if the client
	// invented it; the kind is GraphQL, REST, Probe or Page; the status is 0 if the connection ended before there was
	// one. OnDone must be fast and safe for concurrent use. May be nil.
	OnDone func(method, kind string, status int, took time.Duration)
	// LogMore appends attributes to those of the line of a request in the log, with its
	// context. May be nil.
	LogMore func(ctx context.Context, attrs []slog.Attr) []slog.Attr
	// OnStop is called at the end of Serve, with how many requests were finished since its
	// beginning, and how many of the last ones were cut off. May be nil.
	OnStop func(finished, cut int64)

	// CORSOrigins lists the origins whose pages may call us, each in the form
	// that browsers send, or "*" alone for all. Empty: no CORS headers.
	CORSOrigins []string
	// TrustedProxies are the peers whose X-Forwarded-For is trusted.
	TrustedProxies []netip.Prefix
	// MaxBody is the limit of a request body in bytes. Zero: no limit.
	MaxBody int64
	// MaxAnonymousBody is the limit for a caller that Known does not know: reading and
	// decoding a long body is costly. Nil: all are known.
	MaxAnonymousBody int64
	Known            func(*http.Request) bool
	// RequestTimeout is the time for a request's body to arrive, and then for its
	// context. Zero: no limit.
	RequestTimeout time.Duration
	// Certificate is that of the server. Nil: plain HTTP.
	Certificate *Certificate
	// DrainDelay is how long the listener stays open after the end of Serve's
	// context. The end of SkipDrain ends it early. Zero: not at all.
	DrainDelay time.Duration
	SkipDrain  <-chan struct{}
	// ShutdownTimeout is how long Serve waits for requests in flight when it
	// shuts down. Zero: they are cut off.
	ShutdownTimeout time.Duration
}

// Handler wraps mux with everything in this package. Handlers can rely on this:
//
//   - RequestID, ClientAddr and AddLogAttrs work on the request's context;
//   - reading a body beyond MaxBody fails with *http.MaxBytesError;
//   - the body has arrived, or reading it returns why it has not;
//   - the context ends RequestTimeout later with the cause ErrTimeout;
//   - the security headers are set and may be overwritten; Vary may be set
//     already, so handlers must add to it;
//   - a panic becomes a 500, or a broken connection if the response has begun.
//
// Every request has exactly one line in the access log.
func Handler(mux http.Handler, o Options) http.Handler {
	h := recordRoute(mux)
	h = awaitBody(o.RequestTimeout, h)
	h = limitBody(o, h)
	h = cors(o.CORSOrigins, h)
	h = recoverPanics(o.log(), h)
	h = logAccess(o, h)
	return withState(o, h) // outermost: the others need the requestState
}

func (o Options) log() *slog.Logger {
	if o.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return o.Log
}

func (o Options) now() func() time.Time {
	if o.Now == nil {
		return time.Now
	}
	return o.Now
}
