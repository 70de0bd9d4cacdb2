package httpd

// security lists the headers that suit an API on every response. A handler
// overwrites those that its response needs otherwise, such as the policy of a
// page or the caching of an asset.
//
// Headers that matter only for pages are left to the handlers of pages:
// Cross-Origin-Opener-Policy is about scripts that open windows,
// Referrer-Policy about links that a person follows.
//
// Strict-Transport-Security is set over TLS only: over plain HTTP RFC 6797 (section
// 7.2) forbids it. A proxy that terminates TLS knows how long it can promise TLS.
var security = [...]struct{ name, value string }{
	{"Cache-Control", "no-store"}, // most answers hold patient data
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
}

// transportSecurity makes browsers use TLS for this name, for a year.
const transportSecurity = "max-age=31536000"

// setHeaders sets the request's id and the headers above. The values are stored
// in the requestState: http.Header.Set would allocate for each.
func (s *requestState) setHeaders() {
	h := s.answer.Header()
	set := func(i int, name, value string) {
		s.headers[i] = value
		h[name] = s.headers[i : i+1 : i+1]
	}
	for i, header := range security {
		set(i, header.name, header.value)
	}
	set(len(security), requestIDHeader, s.id)
	if s.request.TLS != nil {
		set(len(security)+1, "Strict-Transport-Security", transportSecurity)
	}
	if stopping(s.Context).Err() != nil {
		h["Connection"] = []string{"close"} // the next request goes to another server
	}
}
