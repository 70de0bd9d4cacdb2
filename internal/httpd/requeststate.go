package httpd

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

const requestIDHeader = "X-Request-Id"

// requestState is one request and its answer, as the layers of this package see
// them. It is the request's context, and holds what most requests need, so
// that one allocation does for all of it. It is not used again for another
// request: contexts may be kept.
type requestState struct {
	context.Context // of the server, with the deadline

	id      string
	request *http.Request // as it came
	proxies []netip.Prefix
	answer  recorder
	headers [1 + len(security)]string

	mu        sync.Mutex // handlers annotate from several goroutines
	route     string
	attrs     []slog.Attr
	attrSpace [4]slog.Attr // where notes begin
}

type stateKey struct{}

// Value finds the exchange itself, and else what its context holds.
func (s *requestState) Value(key any) any {
	if key == (stateKey{}) {
		return s
	}
	return s.Context.Value(key)
}

// stateOf returns nil for a context that is not of a request under Handler.
func stateOf(ctx context.Context) *requestState {
	s, _ := ctx.Value(stateKey{}).(*requestState)
	return s
}

// withState starts the exchange, within the time that a request may take. It gives
// the request an id, which is the client's own if that is well-formed, and
// answers with it.
func withState(o Options, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &requestState{
			Context: r.Context(),
			id:      r.Header.Get(requestIDHeader),
			request: r,
			proxies: o.TrustedProxies,
			answer:  recorder{ResponseWriter: w},
		}
		if !wellFormedID(s.id) {
			s.id = newID()
		}
		s.attrs = s.attrSpace[:0]
		s.setHeaders()
		if o.RequestTimeout > 0 {
			ctx, cancel := context.WithTimeoutCause(s.Context, o.RequestTimeout, ErrTimeout)
			defer cancel()
			s.Context = ctx
		}
		next.ServeHTTP(&s.answer, r.WithContext(s))
	})
}

// newID returns 128 random bits as text. An id is no secret, so the generator
// that asks the system for nothing but its seed will do.
func newID() string {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	for half := range 2 {
		bits := rand.Uint64() //nolint:gosec // G404: see above
		for i := range 13 {
			id[13*half+i] = letters[bits%32]
			bits /= 32
		}
	}
	return string(id[:])
}

// wellFormedID accepts what can stand in a header, a log line and a JSON
// string as it is.
func wellFormedID(id string) bool {
	if id == "" || len(id) > 64 {
		return false
	}
	for _, c := range []byte(id) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		digit := '0' <= c && c <= '9'
		if !letter && !digit && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return true
}

// RequestID returns the id under which this request is logged and answered, at
// most 64 characters of [A-Za-z0-9._-]; "" outside of Handler.
func RequestID(ctx context.Context) string {
	if s := stateOf(ctx); s != nil {
		return s.id
	}
	return ""
}

// ClientAddr returns the address of the client: that of the peer or, if the
// peer is a trusted proxy, what the proxies tell. IPv4 is never mapped into
// IPv6 and there is no zone. It is the zero Addr when unknown.
func ClientAddr(ctx context.Context) netip.Addr {
	if s := stateOf(ctx); s != nil {
		return clientAddr(s.request, s.proxies)
	}
	return netip.Addr{}
}

// AddLogAttrs adds attributes to this request's line in the access log. For a key
// that comes again the last value counts, and the key "route" replaces the
// pattern of the mux. The log's own keys (request_id, method, status, bytes,
// duration) are not to be used. It is safe for concurrent use, and does
// nothing outside of Handler or after the request has been answered.
func AddLogAttrs(ctx context.Context, attrs ...slog.Attr) {
	s := stateOf(ctx)
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range attrs {
		i := slices.IndexFunc(s.attrs, func(n slog.Attr) bool { return n.Key == a.Key })
		if i < 0 {
			s.attrs = append(s.attrs, a)
		} else {
			s.attrs[i] = a
		}
	}
}

// recordRoute keeps the pattern that the mux found. The mux writes it into the
// very *http.Request it is given, so this stands right around the mux: copies
// made by r.WithContext further out never learn of it.
func recordRoute(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			// For CONNECT the mux gives the path as pattern, and paths hold ids.
			if s := stateOf(r.Context()); r.Method != http.MethodConnect {
				s.mu.Lock()
				s.route = r.Pattern
				s.mu.Unlock()
			}
		}()
		mux.ServeHTTP(w, r)
	})
}
