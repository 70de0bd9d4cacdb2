package httpd

import (
	"log/slog"
	"net/http"
	"slices"
	"strings"
)

// What pages of allowed origins may do and read, in addition to what browsers always
// allow. They may send any header: tracing adds its own, and an allowed page could send
// its request from elsewhere anyway.
const (
	corsMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
	corsReads   = "Allow, ETag, Idempotency-Replayed, Location, Retry-After, Server-Timing, WWW-Authenticate, X-Request-Id"
	corsMaxAge  = "600" // seconds that a browser may cache a preflight
)

// cors tells browsers which pages of other origins may call us and read the
// responses (https://fetch.spec.whatwg.org/#http-cors-protocol). It refuses
// nothing: a request from another origin is handled, and the browser hides the
// response from the page because it lacks the headers.
func cors(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	everyone := slices.Contains(origins, "*")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h, origin := w.Header(), r.Header.Get("Origin")
		switch {
		case everyone: // the same response for all; with "*" browsers send no credentials
			h.Set("Access-Control-Allow-Origin", "*")
		case slices.Contains(origins, origin):
			h.Add("Vary", "Origin")
			h.Set("Access-Control-Allow-Origin", origin)
			h.Set("Access-Control-Allow-Credentials", "true")
		default:
			h.Add("Vary", "Origin") // caches must not serve this response to an allowed page
			next.ServeHTTP(w, r)
			return
		}
		if isPreflight(r) {
			answerPreflight(w, r)
			return
		}
		h.Set("Access-Control-Expose-Headers", corsReads)
		next.ServeHTTP(w, r)
	})
}

// isPreflight distinguishes the preflight of a browser from a client's own
// OPTIONS.
func isPreflight(r *http.Request) bool {
	return r.Method == http.MethodOptions &&
		r.Header.Get("Origin") != "" && r.Header.Get("Access-Control-Request-Method") != ""
}

func answerPreflight(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Access-Control-Allow-Methods", corsMethods)
	if asked := r.Header.Values("Access-Control-Request-Headers"); len(asked) > 0 {
		h.Set("Access-Control-Allow-Headers", strings.Join(asked, ", "))
	}
	h.Set("Access-Control-Max-Age", corsMaxAge)
	AddLogAttrs(r.Context(), slog.String("route", "preflight"))
	w.WriteHeader(http.StatusNoContent)
}
