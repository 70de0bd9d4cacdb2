package auth

import (
	"context"
	"net/http"
	"strings"
	"sync"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Caller is who sent a request: nobody, or the bearer of a good access token.
// Whether the token's session still lives is looked at once in each request. The
// database is asked for it if the store cannot recall it for certain, together
// with what the request reads if that is possible.
type Caller struct {
	tokenErr error
	claims   *Claims
	store    *store.Store

	mu sync.Mutex
	// viewer is that of the session, once it was asked for.
	viewer *model.Viewer
}

type callerKey struct{}

// CallerFrom returns the caller of a request: nobody, if Identify did not see
// it.
func CallerFrom(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}

// Identify finds out who is calling from the header Authorization (RFC 6750,
// 2.1) and lets every request through: what a caller may do is not its to say.
func Identify(s *store.Store, t *Tokens, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := identify(t, r.Header.Get("Authorization"))
		caller.store = s
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

func identify(t *Tokens, header string) *Caller {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return &Caller{} // no credentials of a kind that we know are none
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

// Viewer tells on whose behalf the caller's session acts. Without a viewer the
// error says why there is none: a *TokenError, or a *model.Error with
// UNAVAILABLE; it is nil when no token was presented.
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

// CachedViewer is Viewer for who can have it confirmed in the same round trip as
// what they read: if it is not confirmed, it is the viewer as it was when the
// session was last asked for.
func (c *Caller) CachedViewer(ctx context.Context) (v *model.Viewer, confirmed bool, err error) {
	if v, confirmed, err = c.cached(); v != nil || confirmed {
		return v, confirmed, err
	}
	v, err = c.Viewer(ctx)
	return v, true, err
}

// cached tells what is known without asking; v is nil, and not confirmed, when
// that is nothing.
func (c *Caller) cached() (v *model.Viewer, confirmed bool, err error) {
	if c.claims == nil {
		return nil, true, c.tokenErr
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.viewer != nil {
		return c.viewer, true, nil
	}
	v, certain := c.store.CachedViewer(c.claims.SessionID)
	if v == nil || v.UserID != c.claims.UserID {
		return nil, false, nil
	}
	if certain {
		c.viewer = v
	}
	return v, certain, nil
}

// Confirm takes note of on whose behalf the caller's session was said to act; nil
// says that the session has ended. It returns what Viewer would.
func (c *Caller) Confirm(v *model.Viewer) (*model.Viewer, error) {
	if v == nil || v.UserID != c.claims.UserID {
		return nil, &TokenError{ReasonEnded}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.viewer = v
	return v, nil
}
