// Package httpd is what an HTTP server of ours needs around its handlers:
// request ids, the access log, panics, security headers, CORS, limits, client
// addresses, probes, and a shutdown that finishes what it began. It knows
// neither GraphQL nor REST, holds no state between requests, and never logs a
// path, a query, a client address, a user agent or the text of a panic: each
// of them can identify a patient or hold their data.
package httpd

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// Options is the configuration of Handler and Serve.
type Options struct {
	// Log gets the access log and what goes wrong. Nil: nothing is logged.
	Log *slog.Logger
	// Now tells the time for the durations of requests. Nil: time.Now.
	Now func() time.Time
	// OnDone is told of every request when it is over. The method is "other" if
	// it is an invention of the client's; the status is 0 if the connection was
	// cut before there was one. It must be quick, and safe for concurrent use.
	// May be nil.
	OnDone func(method string, status int, took time.Duration)

	// CORSOrigins lists the origins whose pages may call us, each in the form
	// that browsers send, or "*" alone for all. Empty: no CORS headers at all.
	CORSOrigins []string
	// TrustedProxies are the peers whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	// MaxBody is the size in bytes from which a request body is refused. Zero: none is.
	MaxBody int64
	// RequestTimeout is the deadline of a request's context. Zero: there is none.
	RequestTimeout time.Duration
	// ShutdownTimeout is how long Serve lets requests in flight go on once it
	// is told to end. Zero: they are cut off.
	ShutdownTimeout time.Duration
}

// Handler puts everything of this package around mux. What handlers then rely on:
//
//   - RequestID, ClientAddr and Annotate work on the request's context;
//   - a body over MaxBody fails to read with *http.MaxBytesError;
//   - the context ends after RequestTimeout with the cause ErrTimeout;
//   - the security headers are set and may be overwritten; Vary may
//     be set already and must be added to;
//   - a panic becomes a 500, or a broken connection if the answer had begun.
//
// Every request, whatever becomes of it, has one line in the access log.
func Handler(mux http.Handler, o Options) http.Handler {
	h := recordRoute(mux)
	h = limitBody(o.MaxBody, h)
	h = cors(o.CORSOrigins, h)
	h = recoverPanics(o.log(), h)
	h = logAccess(o.log(), o.now(), o.OnDone, h)
	return withState(o, h) // outermost: the others need the exchange
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
