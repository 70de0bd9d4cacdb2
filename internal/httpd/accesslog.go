package httpd

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
)

// logAccess writes one line per request when it ends, at level Info or, for a
// status from 500, Error. Then it calls OnDone unless that is nil.
func logAccess(o Options, next http.Handler) http.Handler {
	log, now, onDone := o.log(), o.now(), o.OnDone
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
				s.write(log, o.LogMore, s.line(level, method, start, end, finished))
			}
			if onDone != nil {
				onDone(method, s.kind(), s.answer.status, end.Sub(start))
			}
		}()
		next.ServeHTTP(w, r)
		finished = true
	})
}

// The kinds of requests.
const (
	GraphQL = "graphql"
	REST    = "rest"
	Probe   = "probe" // /health and /ready
	Page    = "page"  // everything else
)

// kind returns what was asked for, by the route.
func (s *requestState) kind() string {
	switch route := strings.TrimPrefix(s.route, "GET "); {
	case route == "/graphql":
		return GraphQL
	case strings.HasPrefix(route, "/api/"):
		return REST
	case strings.HasPrefix(route, "/health"), strings.HasPrefix(route, "/ready"):
		return Probe
	default:
		return Page
	}
}

func (s *requestState) level() slog.Level {
	if s.answer.status >= http.StatusInternalServerError {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// Milliseconds returns a duration as an attribute of a log line. The key ends in _ms.
func Milliseconds(key string, d time.Duration) slog.Attr {
	return slog.Float64(key, float64(d.Microseconds())/1000)
}

// line says what happened and nothing about the client: no path, query, address or
// user agent.
func (s *requestState) line(level slog.Level, method string, start, end time.Time, finished bool) slog.Record {
	line := slog.NewRecord(end, level, "request", 0)
	line.AddAttrs(
		slog.String("request_id", s.id),
		slog.String("method", method),
		slog.Int("status", s.answer.status),
		slog.Int64("bytes", s.answer.bytes),
		Milliseconds("duration_ms", end.Sub(start)),
	)
	if !finished {
		line.AddAttrs(slog.Bool("aborted", true))
	}
	return line
}

// write passes the record to the log's handler directly: the logger would read the clock
// again, and the source line, which is always this one.
func (s *requestState) write(log *slog.Logger, more func(context.Context, []slog.Attr) []slog.Attr, line slog.Record) {
	attrs := s.logAttrs()
	if more != nil {
		attrs = more(s, attrs)
	}
	line.AddAttrs(attrs...)           // in one call: each may allocate
	_ = log.Handler().Handle(s, line) // slog.Logger ignores the error too
}

// logAttrs returns the added attributes, with the route among them. Attributes
// that are added later have no effect, and do not change the returned slice.
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

// knownMethod keeps invented methods of clients out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut,
		http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}
