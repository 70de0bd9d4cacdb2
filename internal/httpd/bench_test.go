package httpd

import (
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// BenchmarkHandler measures what each request pays for this package, in
// addition to the mux and the handler (mux alone): with the log line written,
// and with a log that discards it.
func BenchmarkHandler(b *testing.B) {
	mux := http.NewServeMux()
	mux.HandleFunc("/graphql", func(w http.ResponseWriter, r *http.Request) {
		AddLogAttrs(r.Context(), slog.String("operation", "Patients"), slog.String("operation_type", "query"), slog.Int("cost", 241))
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(answered)
	})
	as := func(level slog.Level) Options {
		return Options{
			Log:     slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: level})), //nolint:sloglint // DiscardHandler would not write the line
			MaxBody: 1 << 20, RequestTimeout: 15 * time.Second,
		}
	}
	for name, h := range map[string]http.Handler{
		"mux alone": mux,
		"logged":    Handler(mux, as(slog.LevelInfo)),
		"quiet":     Handler(mux, as(slog.LevelWarn)),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			body := &rewound{Reader: bytes.NewReader(asked)}
			r := httptest.NewRequestWithContext(b.Context(), http.MethodPost, "/graphql", body)
			for b.Loop() {
				body.Reset(asked)
				r.Body = body
				h.ServeHTTP(&blank{header: http.Header{}}, r)
			}
		})
	}
}

var (
	asked    = []byte(`{"query":"{patients{nodes{id name}}}"}`)
	answered = bytes.Repeat([]byte("x"), 1000)
)

// rewound is a body that can be read again.
type rewound struct{ *bytes.Reader }

func (*rewound) Close() error { return nil }

// blank is a writer that starts without headers, like the server's.
type blank struct{ header http.Header }

func (w *blank) Header() http.Header             { return w.header }
func (*blank) WriteHeader(int)                   {}
func (*blank) Write(content []byte) (int, error) { return len(content), nil }
