package httpd

import (
	"log/slog"
	"net/http"
	"slices"
	"time"
)

// logAccess writes one line per request when it is over, at level Info or, for
// a status from 500, Error; and tells done, unless that is nil.
func logAccess(
	log *slog.Logger, now func() time.Time, done func(string, int, time.Duration), next http.Handler,
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x, start, finished := exchangeOf(r.Context()), now(), false
		defer func() { // deferred: http.ErrAbortHandler passes through here
			if finished {
				x.answer.begin() // a handler that writes nothing answers 200
			}
			level := x.level()
			wanted := log.Enabled(x, level)
			if !wanted && done == nil {
				return
			}
			method, end := knownMethod(r.Method), now()
			if wanted {
				x.write(log, level, method, start, end, finished)
			}
			if done != nil {
				done(method, x.answer.status, end.Sub(start))
			}
		}()
		next.ServeHTTP(w, r)
		finished = true
	})
}

func (x *exchange) level() slog.Level {
	if x.answer.status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// write says what happened and nothing of whom: neither path nor query,
// neither address nor user agent. It gives the line to the log's handler
// itself: the logger would ask for the time again, and for the place in the
// source, which is always this one.
func (x *exchange) write(log *slog.Logger, level slog.Level, method string, start, end time.Time, finished bool) {
	line := slog.NewRecord(end, level, "request", 0)
	line.AddAttrs(
		slog.String("request_id", x.id),
		slog.String("method", method),
		slog.Int("status", x.answer.status),
		slog.Int64("bytes", x.answer.bytes),
		slog.Duration("duration", end.Sub(start)),
	)
	if !finished {
		line.AddAttrs(slog.Bool("aborted", true))
	}
	line.AddAttrs(x.annotations()...)
	_ = log.Handler().Handle(x, line) // as slog.Logger does; there is nobody to tell
}

// annotations returns the notes, with a route among them. Whoever still
// annotates afterwards does so in vain, and does no harm to what it returned.
func (x *exchange) annotations() []slog.Attr {
	x.mu.Lock()
	defer x.mu.Unlock()
	notes := x.notes
	x.notes = nil
	if slices.ContainsFunc(notes, func(a slog.Attr) bool { return a.Key == "route" }) {
		return notes
	}
	route := x.route
	if route == "" {
		route = "unmatched"
	}
	return slices.Insert(notes, 0, slog.String("route", route))
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
