package fill

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/caregraph/caregraph/graph/graphtest"
	"github.com/caregraph/caregraph/internal/testutil"
)

// before is a server that passes to the one at target every request that first
// does not answer.
func before(target string, first func(http.ResponseWriter, *http.Request) bool) http.Handler {
	u, err := url.Parse(target)
	if err != nil {
		panic(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(u) }}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !first(w, r) {
			proxy.ServeHTTP(w, r)
		}
	})
}

// fixedNow is the time in these tests.
func fixedNow() time.Time { return time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC) }

// impatient is a filler that records its pauses instead of waiting.
func impatient(serverURL string, out io.Writer) (f *filler, waited *[]time.Duration) {
	waited = &[]time.Duration{}
	f = newFiller(options{url: serverURL, concurrency: 1}, out, io.Discard)
	f.client.now = fixedNow
	f.client.wait = func(ctx context.Context, d time.Duration) error {
		*waited = append(*waited, d)
		return ctx.Err()
	}
	return f, waited
}

// answers serves the handlers one after the other, and repeats the last one.
func answers(t *testing.T, list ...http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next := list[0]
		if len(list) > 1 {
			list = list[1:]
		}
		next(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

func text(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func status(code int, retryAfter string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", retryAfter)
		w.WriteHeader(code)
	}
}

const done = `{"data": {"reply": {"record": {"id": "pat_1"}, "userErrors": []}}}`

func TestDo_WaitsAsLongAsTheServerSays(t *testing.T) {
	t.Parallel()
	f, waited := impatient(answers(t,
		status(http.StatusTooManyRequests, "7"),
		status(http.StatusServiceUnavailable, "Mon, 23 Nov 2026 09:00:20 GMT"),
		status(http.StatusServiceUnavailable, ""),
		status(http.StatusTooManyRequests, "86400"),
		text(done)), io.Discard)
	if _, err := f.client.do(t.Context(), "", operation{"test", "{ x }"}, nil); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{7 * time.Second, 20 * time.Second, firstPause, maxPause}; !slices.Equal(*waited, want) {
		t.Errorf("waited %v, want %v", *waited, want)
	}
}

func TestDo_WaitsForRefusalsThatPass(t *testing.T) {
	t.Parallel()
	f, waited := impatient(answers(t,
		text(`{"errors": [{"message": "slow down", "extensions": {"code": "RATE_LIMITED"}}]}`),
		text(`{"data": {"reply": null}, "errors": [{"message": "busy", "extensions": {"code": "UNAVAILABLE"}}]}`),
		text(`{"data": {"reply": {"userErrors": [{"code": "TOO_MANY_ATTEMPTS"}]}}, "extensions": {"retryAfter": 30}}`),
		text(done)), io.Discard)
	if _, err := f.client.do(t.Context(), "", operation{"test", "{ x }"}, nil); err != nil {
		t.Fatal(err)
	}
	if want := []time.Duration{firstPause, 2 * firstPause, 30 * time.Second}; !slices.Equal(*waited, want) {
		t.Errorf("waited %v, want %v", *waited, want)
	}
}

func TestDo_GivesUpInTheEnd(t *testing.T) {
	t.Parallel()
	f, waited := impatient(answers(t, status(http.StatusServiceUnavailable, "1")), io.Discard)
	_, err := f.client.do(t.Context(), "", operation{"test", "{ x }"}, nil)
	if err == nil || !strings.Contains(err.Error(), "503") || len(*waited) != maxTries-1 {
		t.Errorf("%v after %d pauses", err, len(*waited))
	}
}

func TestDo_ErrorsHoldNoPatientData(t *testing.T) {
	t.Parallel()
	secret := arjun().Name
	for _, body := range []string{
		`{"data": {"reply": {"userErrors": [{"field": ["input", "name"], "code": "INVALID", "message": "` + secret + `"}]}}}`,
		`{"errors": [{"message": "variable input: ` + secret + `", "path": ["reply"], "extensions": {"code": "BAD_USER_INPUT"}}]}`,
		`{"errors": [{"message": "` + secret + `", "extensions": {"code": "INTERNAL", "requestId": "r1"}}]}`,
		`<html>` + secret, `{"data": {}}`, `[]`, `"` + secret + `"`,
	} {
		f, _ := impatient(answers(t, text(body)), io.Discard)
		_, err := f.ensure(t.Context(), "", f.patientKind(), arjun(), arjun().Email)
		if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(err.Error(), "Arjun") {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestRun_GetsThroughAThrottle(t *testing.T) {
	t.Parallel()
	s := graphtest.New(t, graphtest.Options{})
	turn := 0
	front := httptest.NewServer(before(s.URL, func(w http.ResponseWriter, r *http.Request) bool {
		turn++
		if turn%2 == 0 {
			status(http.StatusTooManyRequests, "3")(w, r)
		}
		return turn%2 == 0
	}))
	t.Cleanup(front.Close)
	var out bytes.Buffer
	f, waited := impatient(front.URL, &out)
	f.number = 5
	testutil.Must(t, f.run(t.Context()))
	if len(*waited) < 10 || slices.Max(*waited) != 3*time.Second {
		t.Errorf("waited %v", *waited)
	}
	if f.patients.made.Load() != 6 || f.patients.kept.Load() != 0 {
		t.Errorf("patients: %d made, %d kept", f.patients.made.Load(), f.patients.kept.Load())
	}
}
