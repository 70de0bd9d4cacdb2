package httpd

import (
	"context"
	"io"
	"log/slog"
	"net/http"
)

// Probes adds the two addresses that monitors ask, with and without slash:
//
//   - GET /health/ answers 200 as long as the process serves;
//   - GET /ready answers 200 if ready returns nil, else 503, and 503 from the
//     moment Serve starts to shut down.
//
// The text of ready's error goes to the access log and never to the client.
func Probes(mux *http.ServeMux, ready func(ctx context.Context) error) {
	mux.HandleFunc("GET /health", health)
	mux.HandleFunc("GET /health/{$}", health)
	mux.Handle("GET /ready", readiness(ready))
	mux.Handle("GET /ready/{$}", readiness(ready))
}

func health(w http.ResponseWriter, _ *http.Request) {
	answerText(w, http.StatusOK, "Healthcare Backend API is running! \U0001F3E5")
}

func readiness(ready func(ctx context.Context) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := ready(r.Context())
		if stopping(r.Context()).Err() != nil { // checked last, because ready may take a while
			err = ErrShutdown
		}
		if err != nil {
			AddLogAttrs(r.Context(), slog.String("error", err.Error()))
			answerText(w, http.StatusServiceUnavailable, "not ready")
			return
		}
		answerText(w, http.StatusOK, "ready")
	})
}

func answerText(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) // the client may be gone
}
