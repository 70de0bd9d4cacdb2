package httpd

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// logAccess writes one line per request when it is over, at level Info or, for
// a status from 500, Error.
func logAccess(log *slog.Logger, now func() time.Time, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := now()
		finished := false
		defer func() { // deferred: http.ErrAbortHandler passes through here
			exchangeOf(r.Context()).write(r.Context(), log, r.Method, now().Sub(start), finished)
		}()
		next.ServeHTTP(w, r)
		finished = true
	})
}

// write says what happened and nothing of whom: neither path nor query,
// neither address nor user agent.
func (x *exchange) write(ctx context.Context, log *slog.Logger, method string, took time.Duration, finished bool) {
	if finished {
		x.answer.begin() // a handler that writes nothing answers 200
	}
	attrs := []slog.Attr{
		slog.String("request_id", x.id),
		slog.String("method", knownMethod(method)),
		slog.Int("status", x.answer.status),
		slog.Int64("bytes", x.answer.bytes),
		slog.Duration("duration", took),
	}
	if !finished {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	level := slog.LevelInfo
	if x.answer.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	log.LogAttrs(ctx, level, "request", append(attrs, x.annotations()...)...)
}

// annotations returns the notes, with a route among them.
func (x *exchange) annotations() []slog.Attr {
	x.mu.Lock()
	defer x.mu.Unlock()
	if slices.ContainsFunc(x.notes, func(a slog.Attr) bool { return a.Key == "route" }) {
		return slices.Clone(x.notes)
	}
	route := x.route
	if route == "" {
		route = "unmatched"
	}
	return append([]slog.Attr{slog.String("route", route)}, x.notes...)
}

// knownMethod keeps the client's own inventions out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
