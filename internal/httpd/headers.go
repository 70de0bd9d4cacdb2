package httpd

// security lists the headers that are right for an API on every answer;
// handlers overwrite what their answer needs otherwise, such as the policy of
// a page or the caching of an asset.
//
// What only pages heed is left to the handlers of pages:
// Cross-Origin-Opener-Policy is about scripts that open windows,
// Referrer-Policy about links that are followed.
//
// There is no Strict-Transport-Security: we speak plain HTTP, where RFC 6797
// (section 7.2) forbids it and browsers ignore it. The proxy that speaks TLS
// knows for which names and how long it can promise TLS.
var security = [...]struct{ name, value string }{
	{"Cache-Control", "no-store"}, // most answers hold patient data
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
}

// setHeaders begins the answer with the request's id and the headers above.
// They lie in the exchange itself: http.Header.Set would allocate for each.
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
}
