package httpd

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
)

func TestSecurityHeaders_OnEveryAnswerAndOverridable(t *testing.T) {
	t.Parallel()
	mux := route("GET /page", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Security-Policy", "default-src 'self'")
		w.Header().Set("Cache-Control", "max-age=60")
	})
	mux.HandleFunc("GET /plain", nothing)
	h := Handler(mux, Options{})
	strict := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Cache-Control": "no-store",
		"Content-Security-Policy":   "default-src 'none'; frame-ancestors 'none'",
		"Strict-Transport-Security": "",
	}
	for _, target := range []string{"/plain", "/unknown", "/plain/../plain"} {
		w := ask(t, h, http.MethodGet, target)
		for name, want := range strict {
			if got := w.Header().Get(name); got != want {
				t.Errorf("GET %s: %s: %q, want %q", target, name, got, want)
			}
		}
	}
	w := ask(t, h, http.MethodGet, "/page")
	if w.Header().Get("Content-Security-Policy") != "default-src 'self'" || w.Header().Get("Cache-Control") != "max-age=60" {
		t.Errorf("the handler's own headers are lost: %v", w.Header())
	}
}

// The values share one array, but each response has its own.
func TestSecurityHeaders_MayBeAddedToAndChanged(t *testing.T) {
	t.Parallel()
	add := true
	var want http.Header
	h := Handler(route("/", func(w http.ResponseWriter, _ *http.Request) {
		if !add {
			return
		}
		want = w.Header().Clone()
		for name, values := range w.Header() {
			w.Header().Add(name, "more")
			want.Add(name, "more")
			values[0] = "changed" // in the old slice, which the header no longer uses
		}
	}), Options{TrustedProxies: thePeer()})
	testutil.Equal(t, "headers", ask(t, h, http.MethodGet, "/", requestIDHeader, "r1").Header(), want)
	add = false
	got := ask(t, h, http.MethodGet, "/", requestIDHeader, "r1").Header()
	for name, values := range got {
		if !slices.Equal(values, want[name][:1]) {
			t.Errorf("%s of the next answer: %q", name, values)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d headers, want %d", len(got), len(want))
	}
}

// TestCORS_AdmitsTheHeadersThatAPageAsksFor, of tracing for example, if its origin may
// call at all.
func TestCORS_AdmitsTheHeadersThatAPageAsksFor(t *testing.T) {
	t.Parallel()
	const origin = "https://a.example"
	for _, asked := range []string{"traceparent, tracestate", "idempotency-key", "sentry-trace,baggage", "authorization, content-type", ""} {
		for allowed, want := range map[string]string{origin: asked, "*": asked, "https://b.example": ""} {
			header := []string{"Origin", origin, "Access-Control-Request-Method", "POST"}
			if asked != "" {
				header = append(header, "Access-Control-Request-Headers", asked)
			}
			w := ask(t, Handler(route("/", accepting), Options{CORSOrigins: []string{allowed}}), http.MethodOptions, "/", header...)
			if got := w.Header().Get("Access-Control-Allow-Headers"); got != want {
				t.Errorf("%q from an origin where %s is allowed: %q", asked, allowed, got)
			}
		}
	}
}

// TestCORS_PagesReadWhatClientsActOn: a browser hides all other headers from them.
func TestCORS_PagesReadWhatClientsActOn(t *testing.T) {
	t.Parallel()
	h := Handler(route("/", accepting), Options{CORSOrigins: []string{"https://a.example"}})
	exposed := ask(t, h, http.MethodGet, "/", "Origin", "https://a.example").Header().Get("Access-Control-Expose-Headers")
	for _, name := range []string{"ETag", "Idempotency-Replayed", "Retry-After", "Server-Timing", "X-Request-Id", "Location"} {
		if !slices.Contains(strings.Split(exposed, ", "), name) {
			t.Errorf("%s is not in %s", name, exposed)
		}
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	const a, b, stranger = "https://a.example", "https://b.example", "https://a.example.evil.test"
	preflight := []string{"Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization"}
	for name, c := range map[string]struct {
		origins              []string
		method, origin       string
		preflight            bool
		status               int
		allow, creds, expose string
		vary                 []string
	}{
		"off":                   {nil, "GET", a, false, 200, "", "", "", nil},
		"off, preflight":        {nil, "OPTIONS", a, true, 200, "", "", "", nil},
		"listed":                {[]string{a, b}, "GET", b, false, 200, b, "true", corsReads, []string{"Origin", "Accept"}},
		"stranger":              {[]string{a, b}, "GET", stranger, false, 200, "", "", "", []string{"Origin", "Accept"}},
		"null":                  {[]string{a}, "GET", "null", false, 200, "", "", "", []string{"Origin", "Accept"}},
		"no origin":             {[]string{a}, "GET", "", false, 200, "", "", "", []string{"Origin", "Accept"}},
		"preflight":             {[]string{a}, "OPTIONS", a, true, 204, a, "true", "", []string{"Origin"}},
		"stranger's preflight":  {[]string{a}, "OPTIONS", stranger, true, 200, "", "", "", []string{"Origin", "Accept"}},
		"plain OPTIONS":         {[]string{a}, "OPTIONS", a, false, 200, a, "true", corsReads, []string{"Origin", "Accept"}},
		"everyone":              {[]string{"*"}, "GET", a, false, 200, "*", "", corsReads, []string{"Accept"}},
		"everyone, no origin":   {[]string{"*"}, "GET", "", false, 200, "*", "", corsReads, []string{"Accept"}},
		"everyone's preflight":  {[]string{"*"}, "OPTIONS", a, true, 204, "*", "", "", nil},
		"preflight, no origin":  {[]string{"*"}, "OPTIONS", "", true, 200, "*", "", corsReads, []string{"Accept"}},
		"another letter's case": {[]string{a}, "GET", "https://A.example", false, 200, "", "", "", []string{"Origin", "Accept"}},
	} {
		var header []string
		if c.origin != "" {
			header = append(header, "Origin", c.origin)
		}
		if c.preflight {
			header = append(header, preflight...)
		}
		w := ask(t, Handler(route("/", accepting), Options{CORSOrigins: c.origins}), c.method, "/", header...)
		h := w.Header()
		if c.origins == nil {
			c.vary = []string{"Accept"}
		}
		got := []string{h.Get("Access-Control-Allow-Origin"), h.Get("Access-Control-Allow-Credentials"), h.Get("Access-Control-Expose-Headers")}
		if w.Code != c.status || !slices.Equal(got, []string{c.allow, c.creds, c.expose}) {
			t.Errorf("%s: status %d, headers %q", name, w.Code, got)
		}
		if !slices.Equal(h.Values("Vary"), c.vary) {
			t.Errorf("%s: Vary %q, want %q", name, h.Values("Vary"), c.vary)
		}
		answered := c.status == http.StatusNoContent
		for header, value := range map[string]string{
			"Access-Control-Allow-Methods": corsMethods, "Access-Control-Allow-Headers": "authorization", "Access-Control-Max-Age": "600",
		} {
			if (h.Get(header) == value) != answered {
				t.Errorf("%s: %s: %q", name, header, h.Get(header))
			}
		}
	}
}

// TestCORS_LetsPagesReadTheHeadersOfAnswers that browsers would hide.
func TestCORS_LetsPagesReadTheHeadersOfAnswers(t *testing.T) {
	t.Parallel()
	w := ask(t, Handler(route("/", accepting), Options{CORSOrigins: []string{"https://a.example"}}), http.MethodPost, "/", "Origin", "https://a.example")
	readable := strings.Split(w.Header().Get("Access-Control-Expose-Headers"), ", ")
	for _, name := range []string{"Allow", "ETag", "Idempotency-Replayed", "Location", "Retry-After", "Server-Timing", "WWW-Authenticate", "X-Request-Id"} {
		if !slices.Contains(readable, name) {
			t.Errorf("%s is hidden: %q", name, readable)
		}
	}
}

func accepting(w http.ResponseWriter, _ *http.Request) { w.Header().Add("Vary", "Accept") }
