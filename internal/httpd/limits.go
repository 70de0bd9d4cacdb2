package httpd

import (
	"errors"
	"net/http"
)

var (
	// ErrTimeout is the cause (context.Cause) of a request's context that ended
	// at its deadline.
	ErrTimeout = errors.New("the request took longer than the server allows")
	// ErrShutdown is the cause of a context that ended because the server shut
	// down.
	ErrShutdown = errors.New("the server is shutting down")
)

// limitBody makes reading beyond the limit of the caller fail. It passes the server's
// own writer: only there http.MaxBytesReader finds the method that closes the
// connection instead of reading the rest.
func limitBody(o Options, next http.Handler) http.Handler {
	if o.MaxBody <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := o.MaxBody
		isShort := r.ContentLength >= 0 && r.ContentLength <= o.MaxAnonymousBody
		if o.Known != nil && !isShort && !o.Known(r) {
			limit = min(limit, o.MaxAnonymousBody)
		}
		server := stateOf(r.Context()).answer.ResponseWriter
		r.Body = http.MaxBytesReader(server, r.Body, limit) // r is the copy that withState made
		next.ServeHTTP(w, r)
	})
}
