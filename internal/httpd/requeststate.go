package httpd

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

const requestIDHeader = "X-Request-Id"

// requestState is one request and its response as the layers of this package
// see them. It is the context of the request and holds what most requests need,
// so that one allocation suffices. It is never reused for another request,
// because contexts may be kept.
type requestState struct {
	context.Context // the connection's, and from begin on the request's

	deadline time.Time // zero: none
	timer    *time.Timer
	cancel   context.CancelCauseFunc
	unwatch  func() bool // stops to watch the connection
	id       string
	request  *http.Request // as it came
	attached values        // nil: none
	proxies  []netip.Prefix
	answer   recorder
	headers  [2 + len(security)]string

	runsToEnd atomic.Bool

	mu        sync.Mutex // handlers add attributes from several goroutines
	route     string
	attrs     []slog.Attr
	attrSpace [8]slog.Attr // the first attrs are stored here
}

type stateKey struct{}

// Value returns the requestState itself, or what is attached, or what its context holds.
func (s *requestState) Value(key any) any {
	if key == (stateKey{}) {
		return s
	}
	if s.attached != nil {
		if value := s.attached.Value(key); value != nil {
			return value
		}
	}
	return s.Context.Value(key)
}

// values are values of a context by their keys, nil for an unknown key.
type values = interface{ Value(key any) any }

// Attach returns the context with more values. That of a request under Handler gets them
// without a copy, once: the first handler that needs it must call Attach, before the
// context has other users.
func Attach(ctx context.Context, more interface{ Value(key any) any }) context.Context {
	if s, ok := ctx.(*requestState); ok && s.attached == nil {
		s.attached = more
		return s
	}
	return &attachedContext{ctx, more}
}

type attachedContext struct {
	context.Context

	attached values
}

// Value returns what is attached, or what the context holds.
func (c *attachedContext) Value(key any) any {
	if value := c.attached.Value(key); value != nil {
		return value
	}
	return c.Context.Value(key)
}

// stateOf returns nil if the context does not belong to a request under
// Handler.
func stateOf(ctx context.Context) *requestState {
	s, _ := ctx.Value(stateKey{}).(*requestState)
	return s
}

// withState creates the requestState. The response carries the id of the request: a
// new one, or the one of a trusted proxy. The log also has the id that a client sent.
func withState(o Options, next http.Handler) http.Handler {
	warn := sync.OnceFunc(func() {
		o.log().Warn("a proxy sends X-Forwarded-For and is not trusted: all of its clients count as one; see --trusted-proxies")
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &requestState{
			Context: r.Context(),
			request: r,
			proxies: o.TrustedProxies,
			answer:  recorder{ResponseWriter: w},
		}
		if r.Method != http.MethodHead && r.ProtoMajor == 1 { // answers of HTTP/2 share their connection
			s.answer.conn = connOf(r.Context())
		}
		if len(o.TrustedProxies) == 0 && looksProxied(r) {
			warn()
		}
		s.attrs = s.attrSpace[:0]
		switch id := r.Header.Get(requestIDHeader); {
		case !wellFormedID(id):
			s.id = newID()
		case isTrusted(peer(r), o.TrustedProxies):
			s.id = id
		default:
			s.id = newID()
			s.attrs = append(s.attrs, slog.String("client_request_id", id))
		}
		s.setHeaders()
		defer s.answer.end()
		next.ServeHTTP(&s.answer, r.WithContext(s))
	})
}

// graceOfQueries is how long a request goes on after its client closed the connection, or
// only its sending half: net/http cannot tell the two apart.
const graceOfQueries = time.Second

// begin starts the time limit of the request, unless it is zero, and lets it go on after
// its connection has ended: for graceOfQueries or, if it runs to its end, until its
// deadline. A shutdown ends it at once.
func (s *requestState) begin(limit time.Duration) {
	connection := s.Context
	s.Context, s.cancel = context.WithCancelCause(context.WithoutCancel(connection))
	if limit > 0 {
		s.deadline = time.Now().Add(limit)
		s.timer = time.AfterFunc(limit, func() { s.cancel(ErrTimeout) })
	}
	s.unwatch = context.AfterFunc(connection, func() {
		cause := context.Cause(connection)
		if errors.Is(cause, ErrShutdown) {
			s.cancel(cause)
			return
		}
		time.AfterFunc(graceOfQueries, func() {
			if !s.runsToEnd.Load() {
				s.cancel(cause)
			}
		})
	})
}

// end ends what begin began, once the request was answered.
func (s *requestState) end() {
	s.unwatch()
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel(context.Canceled)
}

// Deadline returns when the time limit of the request ends.
func (s *requestState) Deadline() (deadline time.Time, ok bool) {
	return s.deadline, !s.deadline.IsZero()
}

// Err returns context.DeadlineExceeded after the deadline, as the contexts of the
// standard library do.
func (s *requestState) Err() error {
	err := s.Context.Err()
	if err != nil && errors.Is(context.Cause(s.Context), ErrTimeout) {
		return context.DeadlineExceeded
	}
	return err
}

// SetHeader sets a header of the answer to the request of the context, which must not have
// begun. It does nothing outside of Handler.
func SetHeader(ctx context.Context, name, value string) {
	if s := stateOf(ctx); s != nil {
		s.answer.Header().Set(name, value)
	}
}

// RunToEnd lets the request of the context go on until its deadline, also when its client
// has gone: it changes something, and the answer must say so. It does nothing outside of
// Handler.
func RunToEnd(ctx context.Context) {
	if s := stateOf(ctx); s != nil {
		s.runsToEnd.Store(true)
	}
}

// newID returns 128 random bits as text. An id is not a secret, so a generator
// that asks the system only for its seed is enough.
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

// wellFormedID accepts ids that need no escaping in a header, a log line or a
// JSON string.
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

// RequestID returns the id under which this request is logged and answered: at
// most 64 characters of [A-Za-z0-9._-]. It returns "" outside of Handler.
func RequestID(ctx context.Context) string {
	if s := stateOf(ctx); s != nil {
		return s.id
	}
	return ""
}

// ClientAddr returns the address of the client: that of the peer or, if the
// peer is a trusted proxy, the address that the proxies report. IPv4 is never
// mapped into IPv6, and there is no zone. It returns the zero Addr if the
// address is unknown.
func ClientAddr(ctx context.Context) netip.Addr {
	if s := stateOf(ctx); s != nil {
		return clientAddr(s.request, s.proxies)
	}
	return netip.Addr{}
}

// AddLogAttrs adds attributes to this request's line in the access log. If a
// key comes again, the last value counts; the key "route" replaces the pattern
// of the mux. Do not use the log's own keys (request_id, method, status, bytes,
// duration_ms). AddLogAttrs is safe for concurrent use, and does nothing outside
// of Handler or after the request was answered.
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

// recordRoute stores the pattern that the mux found. The mux writes it into the
// *http.Request that it receives, so recordRoute must wrap the mux directly:
// copies that r.WithContext made further out do not get it.
func recordRoute(mux http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			// For CONNECT the mux returns the path as the pattern, and paths
			// contain ids.
			if s := stateOf(r.Context()); r.Method != http.MethodConnect {
				s.mu.Lock()
				s.route = r.Pattern
				s.mu.Unlock()
			}
		}()
		mux.ServeHTTP(w, r)
	})
}
