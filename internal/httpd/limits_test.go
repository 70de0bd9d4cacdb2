package httpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestBodyLimit_RefusesMoreAndClosesTheConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(Handler(route("/", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.ReadAll(r.Body); err != nil {
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
			}
		}
	}), Options{MaxBody: 10}))
	defer server.Close()
	for _, c := range []struct {
		size, status int
		closed       bool
	}{{10, http.StatusOK, false}, {11, http.StatusRequestEntityTooLarge, true}} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(strings.Repeat("x", c.size)))
		testutil.Must(t, err)
		response, err := server.Client().Do(request)
		testutil.Must(t, err)
		_ = response.Body.Close()
		if response.StatusCode != c.status || response.Close != c.closed {
			t.Errorf("%d bytes: status %d, connection closed %t", c.size, response.StatusCode, response.Close)
		}
	}
}

func TestDeadline_EndsTheContextWithItsCause(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		h := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) {
			start := time.Now() // the bubble's clock
			<-r.Context().Done()
			took = time.Since(start)
			if cause := context.Cause(r.Context()); !errors.Is(cause, ErrTimeout) {
				t.Errorf("cause %v", cause)
			}
		}), Options{RequestTimeout: time.Minute})
		ask(t, h, http.MethodGet, "/")
		if took != time.Minute {
			t.Errorf("the context ended after %s", took)
		}
	})
}

// fetch sends a GET and fails the test without a response. The caller closes
// the body.
func fetch(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	testutil.Must(t, err)
	response, err := client.Do(request)
	testutil.Must(t, err)
	return response
}

// TestBody_MayTakeItsTime: the time of the request begins when the body is there, and a
// body that takes too long gets an answer. Time is that of the bubble.
func TestBody_MayTakeItsTime(t *testing.T) {
	t.Parallel()
	for took, want := range map[time.Duration]string{
		time.Second: "200", 18 * time.Second: "200", 19 * time.Second: "200", 40 * time.Second: "408",
	} {
		synctest.Test(t, func(t *testing.T) {
			const limit = 15 * time.Second
			var left time.Duration
			o := Options{RequestTimeout: limit, ShutdownTimeout: time.Hour}
			h := Handler(route("/", func(w http.ResponseWriter, r *http.Request) {
				deadline, _ := r.Context().Deadline()
				left = time.Until(deadline)
				if _, err := io.ReadAll(r.Body); errors.Is(err, os.ErrDeadlineExceeded) {
					w.WriteHeader(http.StatusRequestTimeout)
					return
				}
				<-time.After(limit - time.Second) // a slow operation
				if r.Context().Err() != nil {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}), o)
			client, conn := net.Pipe()
			server := newServer(t.Context(), h, o)
			go func() { _ = server.Serve(&oneConn{conn: conn}) }()
			defer func() { _ = server.Close() }()
			_, err := io.WriteString(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{")
			testutil.Must(t, err)
			rest := time.AfterFunc(took, func() { _, _ = io.WriteString(client, "}") })
			defer rest.Stop()
			response, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatalf("a body of %s: %v", took, err)
			}
			if got := response.Status[:3]; got != want || left != limit {
				t.Errorf("a body of %s: %s, and %s for the operation", took, got, left)
			}
			_ = client.Close()
		})
	}
}

// oneConn is a listener with one connection.
type oneConn struct {
	conn net.Conn
	once sync.Once
}

func (l *oneConn) Accept() (conn net.Conn, err error) {
	err = net.ErrClosed
	l.once.Do(func() { conn, err = l.conn, nil })
	return conn, err
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

// TestBody_OfAnUnknownCallerIsShort, also if the client does not say how long it is. The
// token is looked at only for a long body.
func TestBody_OfAnUnknownCallerIsShort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		length  int
		known   bool
		chunked bool
		refused int64 // the limit
		looks   int
	}{
		{"short", 64, false, false, 0, 0},
		{"long", 65, false, false, 64, 1},
		{"long, of unknown length", 65, false, true, 64, 1},
		{"long, of a known caller", 128, true, false, 0, 1},
		{"too long, of a known caller", 129, true, false, 128, 1},
	} {
		looks := 0
		o := Options{MaxBody: 128, MaxAnonymousBody: 64, Known: func(*http.Request) bool { looks++; return c.known }}
		handler := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			large, refused := errors.AsType[*http.MaxBytesError](err)
			if refused != (c.refused > 0) || refused && large.Limit != c.refused {
				t.Errorf("%s: %v", c.name, err)
			}
		}), o)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(strings.Repeat("a", c.length)))
		if c.chunked {
			r.ContentLength = -1
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
		if looks != c.looks {
			t.Errorf("%s: the token was looked at %d times", c.name, looks)
		}
	}
}

// TestHandler_ARefusedBodyTakesTime: a client that repeats it at once would cost more.
func TestHandler_ARefusedBodyTakesTime(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Duration{"12345": 0, "123456": refusalDelay} {
		synctest.Test(t, func(t *testing.T) {
			mux := http.NewServeMux()
			mux.HandleFunc("/", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body))
			start := time.Now()
			Handler(mux, Options{MaxBody: 5}).ServeHTTP(httptest.NewRecorder(), r)
			if took := time.Since(start); took != want {
				t.Errorf("%s: %s, want %s", body, took, want)
			}
		})
	}
}
