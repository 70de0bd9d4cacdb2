package httpd

import "net/http"

// securityHeaders sets the headers that are right for an API on every answer;
// handlers overwrite what their answer needs otherwise, such as the policy of
// a page or the caching of an asset.
func securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header())
		next.ServeHTTP(w, r)
	})
}

// setSecurityHeaders sends no Strict-Transport-Security: we speak plain HTTP,
// where RFC 6797 (section 7.2) forbids it and browsers ignore it. The proxy
// that speaks TLS knows for which names and how long it can promise TLS.
func setSecurityHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store") // most answers hold patient data
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}
