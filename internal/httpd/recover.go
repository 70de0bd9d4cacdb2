package httpd

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// recoverPanics answers a panic with 500. If the response has begun, it breaks
// the connection instead, so that the client does not take half a response for
// a complete one. http.ErrAbortHandler, which asks for just that, passes
// through.
func recoverPanics(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			value := recover()
			if value == nil {
				return
			}
			if err, ok := value.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler) //nolint:forbidigo // net/http asks for it
			}
			s := stateOf(r.Context())
			// The type and the stack locate the bug. The text of the value is
			// not logged: it may contain patient data.
			log.LogAttrs(r.Context(), slog.LevelError, "panic",
				slog.String("request_id", s.id),
				slog.String("type", fmt.Sprintf("%T", value)),
				slog.String("stack", string(debug.Stack())))
			if s.answer.begun() {
				panic(http.ErrAbortHandler) //nolint:forbidigo // net/http asks for it
			}
			s.writeInternalError()
		}()
		next.ServeHTTP(w, r)
	})
}

// writeInternalError sends the 500. It drops the headers of the response that
// the handler had begun.
func (s *requestState) writeInternalError() {
	h := s.answer.Header()
	for _, name := range []string{
		"Content-Disposition", "Content-Encoding", "Content-Length", "Content-Range",
		"Etag", "Last-Modified", "Location", "Set-Cookie",
	} {
		h.Del(name)
	}
	s.setHeaders()
	h.Set("Content-Type", "application/json")
	s.answer.WriteHeader(http.StatusInternalServerError)
	// The id consists of [A-Za-z0-9._-] and needs no escaping.
	_, _ = fmt.Fprintf(&s.answer, `{"detail":"Internal server error.","request_id":"%s"}`, s.id) // the client may be gone
}
