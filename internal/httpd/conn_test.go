package httpd

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// countedListener counts the writes of its connections.
type countedListener struct {
	net.Listener

	writes atomic.Int64
}

func (l *countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countedConn{c, &l.writes}, err
}

type countedConn struct {
	net.Conn

	writes *atomic.Int64
}

func (c countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// serveCounted serves a handler under Handler and Serve, and returns its address.
func serveCounted(t *testing.T, handler func(w http.ResponseWriter, r *http.Request, writes func() int64)) string {
	t.Helper()
	var config net.ListenConfig
	tcp, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testutil.Must(t, err)
	l := &countedListener{Listener: tcp}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { handler(w, r, l.writes.Load) })
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, Handler(mux, Options{}), Options{ShutdownTimeout: time.Minute}) }()
	t.Cleanup(func() { stop(); testutil.Must(t, <-ended) })
	return "http://" + tcp.Addr().String()
}

func TestConn_SendsAnAnswerOfKnownLengthAtOnce(t *testing.T) {
	t.Parallel()
	url := serveCounted(t, func(w http.ResponseWriter, _ *http.Request, writes func() int64) {
		before := writes()
		w.Header().Set("Content-Length", "6001")
		_, _ = w.Write(bytes.Repeat([]byte("a"), 3000))
		_, _ = w.Write(bytes.Repeat([]byte("b"), 3000))
		if n := writes() - before; n != 0 {
			t.Errorf("%d writes before the answer is complete", n)
		}
		_, _ = w.Write([]byte("c"))
	})
	for range 2 { // on one connection
		body, _, err := get(t, url, http.MethodGet)
		if want := strings.Repeat("a", 3000) + strings.Repeat("b", 3000) + "c"; err != nil || body != want {
			t.Errorf("%d bytes, %v", len(body), err)
		}
	}
}

func TestConn_SendsWhatWasFlushed(t *testing.T) {
	t.Parallel()
	read := make(chan struct{})
	url := serveCounted(t, func(w http.ResponseWriter, _ *http.Request, _ func() int64) {
		w.Header().Set("Content-Length", "6000")
		_, _ = w.Write(bytes.Repeat([]byte("a"), 5000))
		w.(http.Flusher).Flush()
		<-read
		_, _ = w.Write(bytes.Repeat([]byte("b"), 1000))
	})
	response, err := http.Get(url) //nolint:noctx // the test reads it while it arrives
	testutil.Must(t, err)
	defer func() { _ = response.Body.Close() }()
	if _, err := io.ReadFull(response.Body, make([]byte, 5000)); err != nil {
		t.Error(err)
	}
	close(read)
	if rest, err := io.ReadAll(response.Body); err != nil || len(rest) != 1000 {
		t.Errorf("%d bytes, %v", len(rest), err)
	}
}

// Every answer arrives as it was written, with any header.
func TestConn_AnswersArrive(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, header string
		status         int
		pieces         []int
		fails          bool
	}{
		"no length":                        {http.MethodGet, "", 200, []int{5000, 5000}, false},
		"short":                            {http.MethodGet, "7", 200, []int{7}, false},
		"empty":                            {http.MethodGet, "0", 200, nil, false},
		"a byte at the end":                {http.MethodGet, "90001", 200, []int{90000, 1}, false},
		"many pieces":                      {http.MethodGet, "60000", 200, []int{100, 3000, 5000, 900, 50000, 1000}, false},
		"HEAD":                             {http.MethodHead, "5000", 200, nil, false},
		"a status without a body":          {http.MethodGet, "5000", 304, nil, false},
		"an error":                         {http.MethodGet, "5000", 500, []int{5000}, false},
		"fewer bytes than the header says": {http.MethodGet, "6000", 200, []int{5000}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := serveCounted(t, func(w http.ResponseWriter, _ *http.Request, _ func() int64) {
				if c.header != "" {
					w.Header().Set("Content-Length", c.header)
				}
				w.WriteHeader(c.status)
				for _, n := range c.pieces {
					_, _ = w.Write(bytes.Repeat([]byte(strconv.Itoa(n%10)), n))
				}
			})
			for range 2 {
				body, status, err := get(t, url, c.method)
				want := ""
				for _, n := range c.pieces {
					want += strings.Repeat(strconv.Itoa(n%10), n)
				}
				if (err != nil) != c.fails || body != want || status != c.status {
					t.Errorf("%d with %d bytes, %v; want %d with %d", status, len(body), err, c.status, len(want))
				}
			}
		})
	}
}

// An answer that broke off ends with its connection.
func TestConn_SendsWhatWasWrittenBeforeAPanic(t *testing.T) {
	t.Parallel()
	url := serveCounted(t, func(w http.ResponseWriter, _ *http.Request, _ func() int64) {
		w.Header().Set("Content-Length", "9000")
		_, _ = w.Write(bytes.Repeat([]byte("a"), 8000))
		panic(http.ErrAbortHandler)
	})
	if body, status, err := get(t, url, http.MethodGet); err == nil || status != 200 {
		t.Errorf("%d with %d bytes, no error", status, len(body))
	}
}

func get(t *testing.T, url, method string) (body string, status int, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	testutil.Must(t, err)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = response.Body.Close() }()
	all, err := io.ReadAll(response.Body)
	return string(all), response.StatusCode, err
}
