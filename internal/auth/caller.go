package auth

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Caller is the sender of a request: anonymous, or the bearer of a valid access
// token. Each request checks once whether the session of the token is still
// open. If the session cache cannot answer that for certain, the database is
// asked, together with the first read of the request where possible.
type Caller struct {
	tokenErr error
	claims   *Claims
	store    *store.Store
	// request is the place of the request in the queues of the store.
	request store.Request

	mu sync.Mutex
	// viewer is the viewer of the session after it was confirmed.
	viewer *model.Viewer
}

type callerKey struct{}

// Value returns what the context of a request has of its caller: the caller itself, and
// its request for the store.
func (c *Caller) Value(key any) any {
	switch key.(type) {
	case callerKey:
		return c
	case store.RequestKey:
		return &c.request
	default:
		return nil
	}
}

// CallerFrom returns the caller of a request, or an anonymous one if the
// request did not pass through Identify.
func CallerFrom(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}

// Identify reads the caller from the header Authorization (RFC 6750, 2.1) and
// attaches it to the context. It lets every request through: it does not decide
// what a caller may do. The store shares its connections fairly between accounts,
// and between the client addresses of requests without one.
func Identify(s *store.Store, t *Tokens, addr func(context.Context) netip.Addr,
	attach func(context.Context, interface{ Value(key any) any }) context.Context, next http.Handler,
) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := NewCaller(s, t, r.Header.Get("Authorization"))
		if caller.claims == nil {
			caller.request.Client = store.AddressClient(addr(r.Context()))
		}
		if ctx := attach(r.Context(), caller); ctx != r.Context() {
			r = r.WithContext(ctx)
		}
		next.ServeHTTP(w, r)
	})
}

// NewCaller returns the caller with a value of the header Authorization, for one request.
func NewCaller(s *store.Store, t *Tokens, authorization string) *Caller {
	caller := identify(t, authorization)
	caller.store = s
	if caller.claims != nil {
		caller.request.Client = store.AccountClient(caller.claims.UserID)
	}
	return caller
}

// Again returns the same caller for another request of a connection, whose session must be
// confirmed again. It does not check the expiry of the token.
func (c *Caller) Again() *Caller {
	return &Caller{tokenErr: c.tokenErr, claims: c.claims, store: c.store, request: store.Request{Client: store.AccountClient(c.Account())}}
}

// Claims returns the claims of the valid token, or nil.
func (c *Caller) Claims() *Claims { return c.claims }

func identify(t *Tokens, header string) *Caller {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return &Caller{} // another scheme counts as no credentials
	}
	if token == "" || strings.Contains(token, " ") {
		return &Caller{tokenErr: &TokenError{ReasonBadHeader}}
	}
	claims, err := t.Verify(token, AccessToken)
	if err != nil {
		return &Caller{tokenErr: err}
	}
	return &Caller{claims: &claims}
}

// Account returns the id of the account in the token, or 0 without a valid token. The
// session may have ended.
func (c *Caller) Account() int64 {
	if c.claims == nil {
		return 0
	}
	return c.claims.UserID
}

// Measure measures what the request asks of the database from now on. Call it before its
// statements.
func (c *Caller) Measure() *store.Measure {
	c.request.Measure = &store.Measure{}
	return c.request.Measure
}

// Session returns a name for the caller's session in logs. It is empty without a valid
// token.
func (c *Caller) Session() string {
	if c.claims == nil {
		return ""
	}
	return c.claims.session
}

// Used returns how often the request has sent statements to the database, and how long it has
// waited for connections.
func (c *Caller) Used() (trips int64, waited time.Duration) { return c.request.Used() }

// HasToken reports whether a request has a valid access token. Its session may have
// ended.
func HasToken(t *Tokens, r *http.Request) bool {
	return identify(t, r.Header.Get("Authorization")).claims != nil
}

// Viewer returns the confirmed viewer of the caller's session. If there is
// none, the error says why: a *TokenError, or a *model.Error with UNAVAILABLE.
// The error is nil if the request had no token.
func (c *Caller) Viewer(ctx context.Context) (*model.Viewer, error) {
	v, confirmed, err := c.cached()
	if confirmed {
		return v, err
	}
	v, err = c.store.SessionViewer(ctx, c.claims.SessionID)
	if err != nil {
		return nil, err
	}
	return c.Confirm(v)
}

// CachedViewer returns the cached viewer. If confirmed is false, the caller
// must confirm it with its first read: the viewer is the one that the session
// had when it was last looked up. Without a cached viewer it returns what
// Viewer returns.
func (c *Caller) CachedViewer(ctx context.Context) (v *model.Viewer, confirmed bool, err error) {
	if v, confirmed, err = c.cached(); v != nil || confirmed {
		return v, confirmed, err
	}
	v, err = c.Viewer(ctx)
	return v, true, err
}

// cached returns the viewer without a query. If it returns nil and not
// confirmed, the cache has no entry.
func (c *Caller) cached() (v *model.Viewer, confirmed bool, err error) {
	if c.claims == nil {
		return nil, true, c.tokenErr
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.viewer != nil {
		return c.viewer, true, nil
	}
	v, certain := c.lookUp()
	if v == nil {
		return nil, false, nil
	}
	if certain {
		c.viewer = v
	}
	return v, certain, nil
}

// lookUp returns the viewer that the cache has, and whether its session is certain to be open.
func (c *Caller) lookUp() (v *model.Viewer, certain bool) {
	v, certain = c.store.CachedViewer(c.claims.SessionID)
	if v == nil || v.UserID != c.claims.UserID {
		return nil, false
	}
	return v, certain
}

// ViewerNow returns the viewer of a caller with a token, for the next request of a connection,
// as Again does. It asks no database: it returns nil if the session is not certain to be open.
func (c *Caller) ViewerNow() *model.Viewer {
	v, certain := c.lookUp()
	if !certain {
		return nil
	}
	return v
}

// Confirm stores the viewer that a session lookup found; nil means that the
// session has ended. It returns what Viewer returns from then on. It fails with
// a *TokenError if the session has ended or belongs to another account.
func (c *Caller) Confirm(v *model.Viewer) (*model.Viewer, error) {
	if v == nil || v.UserID != c.claims.UserID {
		return nil, &TokenError{ReasonEnded}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.viewer = v
	return v, nil
}
