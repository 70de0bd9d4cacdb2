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
	log *slog.Logger, now func() time.Time, onDone func(string, int, time.Duration), next http.Handler,
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, start, finished := stateOf(r.Context()), now(), false
		defer func() { // deferred: http.ErrAbortHandler passes through here
			if finished {
				s.answer.begin() // a handler that writes nothing answers 200
			}
			level := s.level()
			wanted := log.Enabled(s, level)
			if !wanted && onDone == nil {
				return
			}
			method, end := knownMethod(r.Method), now()
			if wanted {
				s.write(log, level, method, start, end, finished)
			}
			if onDone != nil {
				onDone(method, s.answer.status, end.Sub(start))
			}
		}()
		next.ServeHTTP(w, r)
		finished = true
	})
}

func (s *requestState) level() slog.Level {
	if s.answer.status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// write says what happened and nothing of whom: neither path nor query,
// neither address nor user agent. It gives the line to the log's handler
// itself: the logger would ask for the time again, and for the place in the
// source, which is always this one.
func (s *requestState) write(log *slog.Logger, level slog.Level, method string, start, end time.Time, finished bool) {
	line := slog.NewRecord(end, level, "request", 0)
	line.AddAttrs(
		slog.String("request_id", s.id),
		slog.String("method", method),
		slog.Int("status", s.answer.status),
		slog.Int64("bytes", s.answer.bytes),
		slog.Duration("duration", end.Sub(start)),
	)
	if !finished {
		line.AddAttrs(slog.Bool("aborted", true))
	}
	line.AddAttrs(s.logAttrs()...)
	_ = log.Handler().Handle(s, line) // as slog.Logger does; there is nobody to tell
}

// logAttrs returns the notes, with a route among them. Whoever still
// annotates afterwards does so in vain, and does no harm to what it returned.
func (s *requestState) logAttrs() []slog.Attr {
	s.mu.Lock()
	defer s.mu.Unlock()
	attrs := s.attrs
	s.attrs = nil
	if slices.ContainsFunc(attrs, func(a slog.Attr) bool { return a.Key == "route" }) {
		return attrs
	}
	route := s.route
	if route == "" {
		route = "unmatched"
	}
	return slices.Insert(attrs, 0, slog.String("route", route))
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
