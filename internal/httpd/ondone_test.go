package httpd

import (
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// request holds the arguments of Options.OnDone.
type request struct {
	method, kind string
	status       int
	took         time.Duration
}

func TestOnDone_IsCalledOnceForEachRequestLoggedOrNot(t *testing.T) {
	t.Parallel()
	mux := route("/written", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("/silent", nothing)
	for _, path := range []string{"/graphql", "/api/", "GET /health/{$}", "GET /ready"} {
		mux.HandleFunc(path, nothing)
	}
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("Asha") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, level := range map[string]slog.Level{"logged": slog.LevelInfo, "quiet": slog.LevelError + 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []request
			h := Handler(mux, Options{
				Log: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: level})), //nolint:sloglint // DiscardHandler has no level
				Now: ticking(),
				OnDone: func(method, kind string, status int, took time.Duration) {
					got = append(got, request{method, kind, status, took})
				},
			})
			ask(t, h, http.MethodGet, "/written")
			ask(t, h, "ASHA", "/silent")
			ask(t, h, http.MethodPost, "/panic")
			ask(t, h, http.MethodPut, "/nowhere")
			func() {
				defer func() { _ = recover() }()
				ask(t, h, http.MethodGet, "/abort")
			}()
			for _, path := range []string{"/graphql", "/api/patients/", "/health/", "/ready"} {
				ask(t, h, http.MethodGet, path)
			}
			want := []request{
				{"GET", "page", http.StatusTeapot, time.Second},
				{"other", "page", http.StatusOK, time.Second},
				{"POST", "page", http.StatusInternalServerError, time.Second},
				{"PUT", "page", http.StatusNotFound, time.Second},
				{"GET", "page", 0, time.Second},
				{"GET", "graphql", http.StatusOK, time.Second},
				{"GET", "rest", http.StatusOK, time.Second},
				{"GET", "probe", http.StatusOK, time.Second},
				{"GET", "probe", http.StatusOK, time.Second},
			}
			testutil.Equal(t, "calls of OnDone", got, want)
		})
	}
}
