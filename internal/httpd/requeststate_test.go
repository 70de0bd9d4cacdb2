package httpd

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestRequestID_TakenWhenWellFormedElseMade(t *testing.T) {
	t.Parallel()
	var seen string
	h := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) { seen = RequestID(r.Context()) }), Options{TrustedProxies: thePeer()})
	long := strings.Repeat("x", 64)
	for _, c := range []struct {
		incoming string
		taken    bool
	}{
		{"abc-DEF_0.9", true},
		{long, true},
		{long + "x", false},
		{"", false},
		{"a b", false},
		{`a"b`, false},
		{"a\nb", false},
		{"ä", false},
		{"a/b", false},
	} {
		w := ask(t, h, http.MethodGet, "/", requestIDHeader, c.incoming)
		if (seen == c.incoming) != c.taken || !wellFormedID(seen) {
			t.Errorf("incoming %q became %q", c.incoming, seen)
		}
		if got := w.Header().Get(requestIDHeader); got != seen {
			t.Errorf("answered %q, handled %q", got, seen)
		}
	}
	first := ask(t, h, http.MethodGet, "/").Header().Get(requestIDHeader)
	if second := ask(t, h, http.MethodGet, "/").Header().Get(requestIDHeader); first == second {
		t.Errorf("two requests are both %q", first)
	}
}

// TestRequestID_OfAClientIsOnlyLogged: a client cannot choose the id under which an
// operator finds a request.
func TestRequestID_OfAClientIsOnlyLogged(t *testing.T) {
	t.Parallel()
	var j journal
	h := Handler(route("/", nothing), Options{Log: j.logger()})
	answered := ask(t, h, http.MethodGet, "/", requestIDHeader, "mine").Header().Get(requestIDHeader)
	ask(t, h, http.MethodGet, "/", requestIDHeader, "not well-formed")
	lines := j.lines(t, "request")
	if answered == "mine" || lines[0]["request_id"] != answered || lines[0]["client_request_id"] != "mine" {
		t.Errorf("answered %s, logged %v", answered, lines[0])
	}
	if _, logged := lines[1]["client_request_id"]; logged {
		t.Errorf("an id that is not well-formed is in the log: %v", lines[1])
	}
}

func TestRequestState_NothingOutsideOfHandler(t *testing.T) {
	t.Parallel()
	AddLogAttrs(t.Context(), slog.String("a", "b"))
	if RequestID(t.Context()) != "" || ClientAddr(t.Context()).IsValid() {
		t.Error("a context of no request has an id or an address")
	}
}

func TestAccessLog_OneLineWithRouteAndAnnotations(t *testing.T) {
	t.Parallel()
	var j journal
	mux := route("GET /patients/{id}/", func(w http.ResponseWriter, r *http.Request) {
		AddLogAttrs(r.Context(), slog.String("operation", "draft"), slog.Int("fields", 3))
		AddLogAttrs(r.Context(), slog.String("operation", "Patient"))
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short")
	})
	more := func(ctx context.Context, attrs []slog.Attr) []slog.Attr {
		return append(attrs, slog.String("again", RequestID(ctx)), Milliseconds("wait_ms", 1500*time.Microsecond))
	}
	h := Handler(mux, Options{Log: j.logger(), Now: ticking(), RequestTimeout: 1 << 40, MaxBody: 9, TrustedProxies: thePeer(), LogMore: more})
	ask(t, h, http.MethodGet, "/patients/PAT-4711/?q=Asha", requestIDHeader, "r1", "User-Agent", "Browser", "X-Forwarded-For", "198.51.100.7")

	want := []map[string]any{{
		"level": "INFO", "msg": "request", "request_id": "r1", "method": "GET", "route": "GET /patients/{id}/",
		"status": 418., "bytes": 5., "duration_ms": 1e3, "operation": "Patient", "fields": 3., "again": "r1", "wait_ms": 1.5,
	}}
	testutil.Equal(t, "log lines", j.lines(t, "request"), want)
	if strings.Contains(j.String(), "draft") {
		t.Error("the line has two values for one key")
	}
	for _, personal := range []string{"PAT-4711", "Asha", "Browser", "198.51.100.7", "192.0.2.1"} {
		if strings.Contains(j.String(), personal) {
			t.Errorf("the log holds %q", personal)
		}
	}
}

func TestAccessLog_NoRequestTellsItsPath(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, target, route, logged string }{
		{http.MethodGet, "/elsewhere/PAT-4711", "unmatched", "GET"},
		{http.MethodPost, "/patients/PAT-4711/", "unmatched", "POST"},           // 405
		{http.MethodGet, "/patients/PAT-4711", "GET /patients/{id}/", "GET"},    // redirect
		{http.MethodGet, "//patients//PAT-4711/", "GET /patients/{id}/", "GET"}, // redirect
		{http.MethodConnect, "/doctors/PAT-4711", "unmatched", "other"},         // the mux gives the path
		{"ASHA", "/doctors/PAT-4711/", "/doctors/{id}/", "other"},               // an invented method
		{http.MethodHead, "/patients/PAT-4711/", "GET /patients/{id}/", "HEAD"},
	} {
		var j journal
		mux := route("GET /patients/{id}/", nothing)
		mux.HandleFunc("/doctors/{id}/", nothing)
		ask(t, Handler(mux, Options{Log: j.logger()}), c.method, c.target)
		lines := j.lines(t, "request")
		if len(lines) != 1 || lines[0]["route"] != c.route || lines[0]["method"] != c.logged {
			t.Errorf("%s %s: %v, want route %s", c.method, c.target, lines, c.route)
		}
		if strings.Contains(j.String(), "PAT-4711") || strings.Contains(j.String(), "ASHA") {
			t.Errorf("%s %s: the log holds what the client wrote", c.method, c.target)
		}
	}
}

func TestAccessLog_RouteMayBeAnnotated(t *testing.T) {
	t.Parallel()
	var j journal
	h := Handler(route("/api/", func(_ http.ResponseWriter, r *http.Request) {
		AddLogAttrs(r.Context(), slog.String("route", "GET /api/patients/{id}/"))
	}), Options{Log: j.logger()})
	ask(t, h, http.MethodGet, "/api/patients/PAT-4711/")
	if got := j.lines(t, "request"); len(got) != 1 || got[0]["route"] != "GET /api/patients/{id}/" {
		t.Errorf("lines %v", got)
	}
	if n := strings.Count(j.String(), `"route"`); n != 1 {
		t.Errorf("route stands %d times in the line", n)
	}
}

func TestAccessLog_FaultsAreErrors(t *testing.T) {
	t.Parallel()
	for status, level := range map[int]string{200: "INFO", 404: "INFO", 499: "INFO", 500: "ERROR", 503: "ERROR"} {
		var j journal
		h := Handler(route("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }), Options{Log: j.logger()})
		ask(t, h, http.MethodGet, "/")
		if got := j.lines(t, "request"); len(got) != 1 || got[0]["level"] != level {
			t.Errorf("status %d: %v, want level %s", status, got, level)
		}
	}
}

func TestAccessLog_WritesNoLineThatIsNotWanted(t *testing.T) {
	t.Parallel()
	var j journal
	log := slog.New(slog.NewJSONHandler(&j, &slog.HandlerOptions{Level: slog.LevelError}))
	h := Handler(route("/{status}", func(w http.ResponseWriter, r *http.Request) {
		AddLogAttrs(r.Context(), slog.String("operation", "Patients"))
		status, _ := strconv.Atoi(r.PathValue("status"))
		w.WriteHeader(status)
	}), Options{Log: log, Now: ticking(), TrustedProxies: thePeer()})
	for _, status := range []string{"200", "404", "503"} {
		ask(t, h, http.MethodGet, "/"+status, requestIDHeader, "r1")
	}
	want := []map[string]any{{
		"level": "ERROR", "msg": "request", "request_id": "r1", "method": "GET", "route": "/{status}",
		"status": 503., "bytes": 0., "duration_ms": 1e3, "operation": "Patients",
	}}
	testutil.Equal(t, "log lines", j.lines(t, "request"), want)
}

func TestAccessLog_TimeIsThatOfTheEnd(t *testing.T) {
	t.Parallel()
	var j journal
	ask(t, Handler(route("/", nothing), Options{Log: j.logger(), Now: ticking()}), http.MethodGet, "/")
	if !strings.Contains(j.String(), `"time":"2026-01-02T03:04:07Z"`) {
		t.Errorf("the line is %s", &j)
	}
}

func TestExchange_IsTheContextOfItsRequest(t *testing.T) {
	t.Parallel()
	var kept context.Context
	h := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) {
		kept = r.Context()
		if _, limited := kept.Deadline(); !limited || kept.Err() != nil {
			t.Error("there is no deadline, or the context has ended")
		}
		if kept.Value(key{}) != "of the server" || kept.Value("another key") != nil {
			t.Error("the values of the server's context are not there")
		}
	}), Options{RequestTimeout: time.Hour})
	r := httptest.NewRequestWithContext(context.WithValue(t.Context(), key{}, "of the server"), http.MethodGet, "/", http.NoBody)
	h.ServeHTTP(httptest.NewRecorder(), r)
	if kept.Err() == nil || r.Context().Err() != nil {
		t.Errorf("after the answer: %v, and the server's own context: %v", kept.Err(), r.Context().Err())
	}
}

func TestAnnotate_FromManyGoroutines(t *testing.T) {
	t.Parallel()
	const n = 50
	var j journal
	var kept context.Context
	h := Handler(route("/", func(_ http.ResponseWriter, r *http.Request) {
		kept = r.Context()
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() { AddLogAttrs(r.Context(), slog.Int(fmt.Sprintf("key%d", i), i)) })
		}
		all.Wait()
	}), Options{Log: j.logger()})
	ask(t, h, http.MethodGet, "/")
	AddLogAttrs(kept, slog.Int("late", 1)) // must not panic, and has no effect
	lines := j.lines(t, "request")
	for i := range n {
		if lines[0][fmt.Sprintf("key%d", i)] != float64(i) {
			t.Errorf("key%d is missing", i)
		}
	}
}
