package httpd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// halfClosed sends a request on a raw connection, closes the sending half, and returns a
// function that reads the answer.
func halfClosed(t *testing.T, s served, path string) (status func() int) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.listener.Addr().String())
	testutil.Must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}", path)
	testutil.Must(t, err)
	testutil.Must(t, conn.(*net.TCPConn).CloseWrite())
	return func() int {
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		testutil.Must(t, err)
		defer func() { _ = response.Body.Close() }()
		return response.StatusCode
	}
}

// TestHalfClosed_AChangeRunsToItsEnd while a query of the same kind of client is stopped
// after its grace.
func TestHalfClosed_AChangeRunsToItsEnd(t *testing.T) {
	t.Parallel()
	began, queryEnded := make(chan struct{}), make(chan time.Duration, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("/change", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // then net/http watches the connection
		RunToEnd(r.Context())
		close(began)
		<-queryEnded // so the end of this connection was noticed long ago
		if err := r.Context().Err(); err != nil {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	mux.HandleFunc("/query", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		start := time.Now()
		<-r.Context().Done()
		queryEnded <- time.Since(start)
		close(queryEnded)
	})
	s := serve(t, mux, Options{RequestTimeout: time.Minute})
	change := halfClosed(t, s, "/change")
	<-began
	query := halfClosed(t, s, "/query")
	if got := change(); got != http.StatusOK {
		t.Errorf("the change is answered %d", got)
	}
	if got := query(); got != http.StatusOK {
		t.Errorf("the query is answered %d", got)
	}
}

// TestRequest_OutlivesItsConnection: a query for a second, a change until its deadline, and
// neither a shutdown.
func TestRequest_OutlivesItsConnection(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		changes bool
		cause   error
		lives   time.Duration
		want    error
	}{
		{"a query", false, nil, time.Second, context.Canceled},
		{"a change", true, nil, 10 * time.Second, ErrTimeout},
		{"a query in a shutdown", false, ErrShutdown, 0, ErrShutdown},
		{"a change in a shutdown", true, ErrShutdown, 0, ErrShutdown},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				connection, end := context.WithCancelCause(t.Context())
				handler := route("/", func(_ http.ResponseWriter, r *http.Request) {
					if c.changes {
						RunToEnd(r.Context())
					}
					start := time.Now()
					end(c.cause)
					<-r.Context().Done()
					if lived := time.Since(start); lived != c.lives {
						t.Errorf("it lived %v, want %v", lived, c.lives)
					}
					if cause := context.Cause(r.Context()); !errors.Is(cause, c.want) {
						t.Errorf("the cause is %v", cause)
					}
				})
				r := httptest.NewRequestWithContext(connection, http.MethodPost, "/", http.NoBody)
				Handler(handler, Options{RequestTimeout: 10 * time.Second}).ServeHTTP(httptest.NewRecorder(), r)
			})
		})
	}
}
