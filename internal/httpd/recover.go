package httpd

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
)

// recoverPanics answers a panic with 500. If the answer had begun, it breaks
// the connection instead, so that the client does not take half an answer for
// a whole one. http.ErrAbortHandler, which asks for just that, passes through.
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
			// The type and the stack find the fault. The value's text stays out:
			// it may hold what the handler was working on, which is patient data.
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

// writeInternalError drops the headers that spoke of the answer that did not come.
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
	// The id is of [A-Za-z0-9._-]: it needs no escaping.
	_, _ = fmt.Fprintf(&s.answer, `{"detail":"Internal server error.","request_id":"%s"}`, s.id) // the client may be gone
}
