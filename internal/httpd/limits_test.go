package httpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
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
		if err != nil {
			t.Fatal(err)
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Fatal(err)
		}
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
			start := time.Now() // of the bubble's clock
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

type key struct{}

// deadlines is a writer that notes the deadlines it is given.
type deadlines struct {
	http.ResponseWriter
	read, write *time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error  { d.read = &t; return nil }
func (d *deadlines) SetWriteDeadline(t time.Time) error { d.write = &t; return nil }

func TestStream_HasNoDeadlineButTheValues(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var reached bool
		stream := Stream(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			reached = true
			synctest.Wait() // until whatever would end the context has run
			if _, limited := r.Context().Deadline(); limited || r.Context().Err() != nil {
				t.Errorf("the stream's context has a deadline or ended: %v", context.Cause(r.Context()))
			}
			if r.Context().Value(key{}) != "viewer" || RequestID(r.Context()) != "r1" {
				t.Error("the values are lost")
			}
		}))
		h := Handler(route("/", func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done() // the deadline passes
			stream.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), key{}, "viewer")))
		}), Options{RequestTimeout: time.Minute})
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.Header.Set(requestIDHeader, "r1")
		w := &deadlines{ResponseWriter: httptest.NewRecorder()}
		h.ServeHTTP(w, r)
		if !reached || w.read == nil || w.write == nil || !w.read.IsZero() || !w.write.IsZero() {
			t.Errorf("reached %t, deadlines read %v, write %v", reached, w.read, w.write)
		}
	})
}

func TestStream_EndsWhenTheClientIsGone(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewServer(Handler(route("/", Stream(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "event\n")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		ended <- context.Cause(r.Context())
	})).ServeHTTP), Options{RequestTimeout: time.Hour}))
	defer server.Close()
	response := fetch(t, server.Client(), server.URL)
	if line, err := bufio.NewReader(response.Body).ReadString('\n'); line != "event\n" {
		t.Errorf("read %q, %v", line, err)
	}
	_ = response.Body.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("cause %v", err)
	}
}

// fetch sends a GET and fails the test if there is no answer. The caller
// closes the body.
func fetch(t *testing.T, client *http.Client, url string) *http.Response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	return response
}
