package httpd

import (
	"context"
	"errors"
	"net/http"
	"time"
)

var (
	// ErrTimeout is the cause (context.Cause) of a request's context that ended
	// at its deadline.
	ErrTimeout = errors.New("the request took longer than the server allows")
	// ErrShutdown is the cause of a context that ended because the server did.
	ErrShutdown = errors.New("the server is shutting down")
)

// limitBody makes reading beyond limit bytes fail. It hands over the server's
// own writer: http.MaxBytesReader finds only there the method by which it
// closes the connection instead of reading the rest.
func limitBody(limit int64, next http.Handler) http.Handler {
	if limit <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server := exchangeOf(r.Context()).answer.ResponseWriter
		r.Body = http.MaxBytesReader(server, r.Body, limit) // r is the copy that track made
		next.ServeHTTP(w, r)
	})
}

func limitTime(limit time.Duration, next http.Handler) http.Handler {
	if limit <= 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeoutCause(r.Context(), limit, ErrTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Stream lets next go on beyond the time limits, as event streams and
// WebSockets do. Its context keeps all values and ends when the client is gone
// or, with the cause ErrShutdown, as soon as the server begins to shut down:
// next must then return, since Serve waits for it. Stream stands around a
// route, or a handler calls it for those of its requests that turn out to be
// streams.
func Stream(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		life := r.Context()
		if x := exchangeOf(life); x != nil {
			life = x.life
		}
		ctx, cancel := context.WithCancelCause(context.WithoutCancel(r.Context()))
		defer cancel(context.Canceled)
		defer context.AfterFunc(life, func() { cancel(context.Cause(life)) })()
		defer context.AfterFunc(stopping(life), func() { cancel(ErrShutdown) })()

		// Errors mean that the writer has no deadlines, as in tests.
		control := http.NewResponseController(w)
		_ = control.SetReadDeadline(time.Time{})
		_ = control.SetWriteDeadline(time.Time{})
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
