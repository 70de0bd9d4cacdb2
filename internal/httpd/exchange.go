package httpd

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

const requestIDHeader = "X-Request-Id"

// exchange is one request and its answer, as the layers of this package see them.
type exchange struct {
	id     string
	client netip.Addr
	answer *recorder

	mu    sync.Mutex // handlers annotate from several goroutines
	route string
	notes []slog.Attr
}

type exchangeKey struct{}

// exchangeOf returns nil for a context that is not of a request under Handler.
func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// track starts the exchange. It gives the request an id, which is the
// client's own if that is well-formed, and answers with it.
func track(proxies []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(requestIDHeader)
		if !wellFormedID(id) {
			id = rand.Text()
		}
		x := &exchange{
			id:     id,
			client: clientAddr(r, proxies),
			answer: &recorder{ResponseWriter: w},
		}
		x.answer.Header().Set(requestIDHeader, id)
		next.ServeHTTP(x.answer, r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
	})
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
	if x := exchangeOf(ctx); x != nil {
		return x.id
	}
	return ""
}

// ClientAddr returns the address of the client: that of the peer or, if the
// peer is a trusted proxy, what the proxies tell. IPv4 is never mapped into
// IPv6 and there is no zone. It is the zero Addr when unknown.
func ClientAddr(ctx context.Context) netip.Addr {
	if x := exchangeOf(ctx); x != nil {
		return x.client
	}
	return netip.Addr{}
}

// Annotate adds attributes to this request's line in the access log. For a key
// that comes again the last value counts, and the key "route" replaces the
// pattern of the mux. The log's own keys (request_id, method, status, bytes,
// duration) are not to be used. It is safe for concurrent use, and does
// nothing outside of Handler or after the request has been answered.
func Annotate(ctx context.Context, attrs ...slog.Attr) {
	x := exchangeOf(ctx)
	if x == nil {
		return
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, a := range attrs {
		i := slices.IndexFunc(x.notes, func(n slog.Attr) bool { return n.Key == a.Key })
		if i < 0 {
			x.notes = append(x.notes, a)
		} else {
			x.notes[i] = a
		}
	}
}

// noteRoute keeps the pattern that the mux found. The mux writes it into the
// very *http.Request it is given, so this stands right around the mux: copies
// made by r.WithContext further out never learn of it.
func noteRoute(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			// For CONNECT the mux gives the path as pattern, and paths hold ids.
			if x := exchangeOf(r.Context()); r.Method != http.MethodConnect {
				x.mu.Lock()
				x.route = r.Pattern
				x.mu.Unlock()
			}
		}()
		mux.ServeHTTP(w, r)
	})
}
