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
	method string
	status int
	took   time.Duration
}

func TestOnDone_IsCalledOnceForEachRequestLoggedOrNot(t *testing.T) {
	t.Parallel()
	mux := route("/written", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	mux.HandleFunc("/silent", nothing)
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("Asha") })
	mux.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	for name, level := range map[string]slog.Level{"logged": slog.LevelInfo, "quiet": slog.LevelError + 1} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []request
			h := Handler(mux, Options{
				Log: slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: level})), //nolint:sloglint // DiscardHandler has no level
				Now: ticking(),
				OnDone: func(method string, status int, took time.Duration) {
					got = append(got, request{method, status, took})
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
			want := []request{
				{"GET", http.StatusTeapot, time.Second},
				{"other", http.StatusOK, time.Second},
				{"POST", http.StatusInternalServerError, time.Second},
				{"PUT", http.StatusNotFound, time.Second},
				{"GET", 0, time.Second},
			}
			testutil.Equal(t, "calls of OnDone", got, want)
		})
	}
}
