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

// limitBody makes reading beyond limit bytes fail. It passes the server's own
// writer: only there http.MaxBytesReader finds the method that closes the
// connection instead of reading the rest.
func limitBody(limit int64, next http.Handler) http.Handler {
	if limit <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server := stateOf(r.Context()).answer.ResponseWriter
		r.Body = http.MaxBytesReader(server, r.Body, limit) // r is the copy that withState made
		next.ServeHTTP(w, r)
	})
}
