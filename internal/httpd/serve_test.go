package httpd

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

// watched is a listener that reports when it was closed.
type watched struct {
	net.Listener
	once   sync.Once
	closed chan struct{}
}

func (l *watched) Close() error {
	defer l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

func listen(t *testing.T) *watched {
	t.Helper()
	var config net.ListenConfig
	l, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	testutil.Must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return &watched{Listener: l, closed: make(chan struct{})}
}

type key struct{}

// served is a server that runs until end is called.
type served struct {
	url      string
	end      context.CancelFunc
	listener *watched
	result   chan error
}

func serve(t *testing.T, mux http.Handler, o Options) served {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "of the server"))
	t.Cleanup(cancel)
	l := listen(t)
	s := served{url: "http://" + l.Addr().String(), end: cancel, listener: l, result: make(chan error, 1)}
	go func() { s.result <- Serve(ctx, l, Handler(mux, o), o) }()
	return s
}

type answer struct {
	status int
	body   string
	err    error
}

// begin sends a GET in the background.
func (s served) begin(t *testing.T, path string) <-chan answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+path, http.NoBody)
	testutil.Must(t, err)
	answers := make(chan answer, 1)
	go func() {
		response, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request)
		if err != nil {
			answers <- answer{err: err}
			return
		}
		defer func() { _ = response.Body.Close() }()
		body, err := io.ReadAll(response.Body)
		answers <- answer{response.StatusCode, string(body), err}
	}()
	return answers
}

// stopped is an OnStop that wants so many requests.
func stopped(t *testing.T, finished, cut int64) func(int64, int64) {
	called := false
	t.Cleanup(func() { testutil.Equal(t, "OnStop was called", called, true) })
	return func(gotFinished, gotCut int64) {
		called = true
		testutil.Equal(t, "finished and cut", []int64{gotFinished, gotCut}, []int64{finished, cut})
	}
}

func TestServe_FinishesTheRequestsInFlight(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	s := serve(t, route("/slow", func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-release
		if r.Context().Err() != nil || r.Context().Value(key{}) != "of the server" {
			t.Errorf("the request's context: %v", r.Context().Err())
		}
		_, _ = io.WriteString(w, "done")
	}), Options{RequestTimeout: time.Hour, ShutdownTimeout: time.Hour, OnStop: stopped(t, 1, 0)})

	inFlight := s.begin(t, "/slow")
	<-began
	s.end()
	<-s.listener.closed
	if late := <-s.begin(t, "/slow"); late.err == nil {
		t.Errorf("a request after the end was answered: %+v", late)
	}
	select {
	case err := <-s.result:
		t.Fatalf("Serve returned before the request was answered: %v", err)
	default:
	}
	close(release)
	if got := <-inFlight; got.err != nil || got.status != http.StatusOK || got.body != "done" {
		t.Errorf("the request in flight got %+v", got)
	}
	if err := <-s.result; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestServe_CutsOffAfterTheTimeout(t *testing.T) {
	t.Parallel()
	began, cause, over := make(chan struct{}), make(chan error, 1), make(chan struct{})
	defer close(over)
	mux := route("/", func(_ http.ResponseWriter, r *http.Request) {
		close(began)
		<-r.Context().Done()
		cause <- context.Cause(r.Context())
		<-over // or its answer could be faster than the end of its connection
	})
	mux.HandleFunc("/quick", nothing)
	s := serve(t, mux, Options{ShutdownTimeout: time.Nanosecond, OnStop: stopped(t, 1, 1)})
	if quick := <-s.begin(t, "/quick"); quick.err != nil {
		t.Error(quick.err)
	}
	inFlight := s.begin(t, "/")
	<-began
	s.end()
	if err := <-s.result; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Serve: %v", err)
	}
	if err := <-cause; !errors.Is(err, ErrShutdown) {
		t.Errorf("cause %v", err)
	}
	if got := <-inFlight; got.err == nil {
		t.Errorf("the request that was cut off got %+v", got)
	}
}

func TestServe_TellsThatTheListenerFailed(t *testing.T) {
	t.Parallel()
	s := serve(t, http.NotFoundHandler(), Options{})
	_ = s.listener.Close()
	if err := <-s.result; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}

func TestServe_EverythingHasALimit(t *testing.T) {
	t.Parallel()
	s := newServer(t.Context(), nil, Options{RequestTimeout: 15 * time.Second})
	if s.ReadHeaderTimeout <= 0 || s.IdleTimeout <= 0 || s.MaxHeaderBytes <= 0 {
		t.Error("headers or idle connections have no limit")
	}
	if s.ReadTimeout <= 15*time.Second || s.WriteTimeout <= 15*time.Second {
		t.Errorf("the connection ends before the deadline: read %s, write %s", s.ReadTimeout, s.WriteTimeout)
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	Probes(mux, func(context.Context) error { return errors.New("no database") })
	h := Handler(mux, Options{})
	for _, target := range []string{"/health/", "/health"} {
		w := ask(t, h, http.MethodGet, target)
		if w.Code != http.StatusOK || w.Body.String() != "Healthcare Backend API is running! 🏥" ||
			w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
			t.Errorf("GET %s: %d %q %v", target, w.Code, w.Body, w.Header())
		}
	}
	for method, status := range map[string]int{http.MethodHead: http.StatusOK, http.MethodPost: http.StatusMethodNotAllowed} {
		if w := ask(t, h, method, "/health/"); w.Code != status {
			t.Errorf("%s: %d, want %d", method, w.Code, status)
		}
	}
	if w := ask(t, h, http.MethodGet, "/health/4711"); w.Code != http.StatusNotFound {
		t.Errorf("below /health/: %d", w.Code)
	}
}

func TestReady_AsksAndKeepsTheReasonInside(t *testing.T) {
	t.Parallel()
	var j journal
	var reason error
	mux := http.NewServeMux()
	Probes(mux, func(context.Context) error { return reason })
	h := Handler(mux, Options{Log: j.logger()})
	if w := ask(t, h, http.MethodGet, "/ready"); w.Code != http.StatusOK {
		t.Errorf("ready: %d", w.Code)
	}
	reason = errors.New("host db1 is down")
	w := ask(t, h, http.MethodGet, "/ready")
	if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "db1") {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	if got := j.lines(t, "request"); got[len(got)-1]["error"] != "host db1 is down" {
		t.Errorf("access lines %v", got)
	}
}

// TestServe_DrainsBeforeItCloses: a balancer that sees /ready has time to send requests
// elsewhere; until then new connections get full answers.
func TestServe_DrainsBeforeItCloses(t *testing.T) {
	t.Parallel()
	mux := route("/work", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "done") })
	Probes(mux, func(context.Context) error { return nil })
	skip := make(chan struct{})
	s := serve(t, mux, Options{DrainDelay: time.Hour, SkipDrain: skip, ShutdownTimeout: time.Hour})
	if before := <-s.begin(t, "/ready"); before.status != http.StatusOK {
		t.Errorf("/ready before: %+v", before)
	}
	s.end()
	if ready := <-s.begin(t, "/ready"); ready.status != http.StatusServiceUnavailable {
		t.Errorf("/ready while draining: %+v", ready)
	}
	if got := <-s.begin(t, "/work"); got.err != nil || got.status != http.StatusOK || got.body != "done" {
		t.Errorf("a request while draining: %+v", got)
	}
	keepAlive, err := (&http.Client{Transport: &http.Transport{}}).Do(httpGet(t, s.url+"/work"))
	testutil.Must(t, err)
	testutil.Must(t, keepAlive.Body.Close())
	if !keepAlive.Close {
		t.Error("the answer lets the client keep its connection")
	}
	close(skip)
	if err := <-s.result; err != nil {
		t.Errorf("Serve: %v", err)
	}
	<-s.listener.closed
}

func httpGet(t *testing.T, url string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	testutil.Must(t, err)
	return r
}

func TestReady_TurnsUnavailableWhenTheShutdownBegins(t *testing.T) {
	t.Parallel()
	began, release := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	Probes(mux, func(context.Context) error {
		close(began)
		<-release
		return nil
	})
	s := serve(t, mux, Options{ShutdownTimeout: time.Hour})
	inFlight := s.begin(t, "/ready")
	<-began
	s.end()
	close(release)
	if got := <-inFlight; got.status != http.StatusServiceUnavailable {
		t.Errorf("got %+v", got)
	}
	if err := <-s.result; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestServe_SpeaksHTTP2WithoutTLS to clients that know it, many answers at a time over one
// connection.
func TestServe_SpeaksHTTP2WithoutTLS(t *testing.T) {
	t.Parallel()
	const streams = 20
	var began sync.WaitGroup
	began.Add(streams)
	s := serve(t, route("/", func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.ProtoMajor != 2 {
			t.Errorf("%s: %v", r.Proto, err)
		}
		began.Done()
		began.Wait() // all are in flight
		text := bytes.Repeat(body, 1000)
		w.Header().Set("Content-Length", strconv.Itoa(len(text)))
		for piece := range slices.Chunk(text, 3000) {
			_, _ = w.Write(piece)
		}
	}), Options{MaxBody: 100, RequestTimeout: time.Minute, ShutdownTimeout: time.Minute})
	http2 := new(http.Protocols)
	http2.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{Protocols: http2}}
	defer client.CloseIdleConnections()
	var all sync.WaitGroup
	for i := range streams {
		all.Go(func() {
			sent := fmt.Sprintf("answer %d ", i)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url, strings.NewReader(sent))
			testutil.Must(t, err)
			response, err := client.Do(r)
			if err != nil {
				t.Error(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			got, err := io.ReadAll(response.Body)
			if err != nil || string(got) != strings.Repeat(sent, 1000) || response.Proto != "HTTP/2.0" {
				t.Errorf("%s: %d bytes of %.20q, %v", response.Proto, len(got), got, err)
			}
		})
	}
	all.Wait()
}

// TestUpgrade_IsIgnored: curl --http2 and Java's client offer HTTP/2 with a request, and
// get an answer over HTTP/1.1, on a connection that goes on (RFC 9110, 7.8).
func TestUpgrade_IsIgnored(t *testing.T) {
	t.Parallel()
	s := serve(t, route("/", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Proto)
	}), Options{RequestTimeout: time.Minute, ShutdownTimeout: time.Minute})
	var dialer net.Dialer
	c, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(s.url, "http://"))
	testutil.Must(t, err)
	defer func() { _ = c.Close() }()
	reader := bufio.NewReader(c)
	for _, upgrade := range []string{"h2c", "h2c, websocket", "TLS/1.0", "unknown"} {
		_, err := fmt.Fprintf(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n", upgrade)
		testutil.Must(t, err)
		response, err := http.ReadResponse(reader, nil)
		testutil.Must(t, err)
		got, err := io.ReadAll(response.Body)
		if err != nil || response.StatusCode != http.StatusOK || string(got) != "HTTP/1.1" || response.Header.Get("Upgrade") != "" {
			t.Errorf("%s: %d %s %v, %v", upgrade, response.StatusCode, got, response.Header, err)
		}
	}
}
