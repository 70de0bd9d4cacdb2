package auth

import (
	"context"
	"net/http"
	"strings"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Caller is who sent a request: nobody, or the bearer of a good access token.
// Whether the token's session still lives is asked once in each request,
// together with what it reads if that is possible.
type Caller struct {
	refused  error
	claims   *Claims
	sessions *sessions

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
	seen, _ := lru.New[string, model.Viewer](remembered) // fails for a size below 1 only
	known := &sessions{store: s, seen: seen}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := identify(t, r.Header.Get("Authorization"))
		caller.sessions = known
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

func identify(t *Tokens, header string) *Caller {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return &Caller{} // no credentials of a kind that we know are none
	}
	if token == "" || strings.Contains(token, " ") {
		return &Caller{refused: &TokenError{ReasonBadHeader}}
	}
	claims, err := t.Verify(token, AccessToken)
	if err != nil {
		return &Caller{refused: err}
	}
	return &Caller{claims: &claims}
}

// remembered is how many sessions' viewers are remembered; one takes some 200
// bytes.
const remembered = 10_000

// sessions remembers on whose behalf sessions acted when they were last seen.
type sessions struct {
	store *store.Store
	seen  *lru.Cache[string, model.Viewer]
}

// Viewer asks on whose behalf the caller's session acts. Without a viewer the
// error says why there is none: a *TokenError, or a *model.Error with
// UNAVAILABLE; it is nil when no token was presented.
func (c *Caller) Viewer(ctx context.Context) (*model.Viewer, error) {
	if c.claims == nil {
		return nil, c.refused
	}
	c.mu.Lock()
	known := c.viewer
	c.mu.Unlock()
	if known != nil {
		return known, nil
	}
	v, err := c.sessions.store.SessionViewer(ctx, c.claims.SessionID)
	if err != nil {
		return nil, err //nolint:wrapcheck // the store has said what it was doing
	}
	return c.Seen(v)
}

// Presumed is Viewer for who can have it confirmed in the same round trip as
// what they read: it returns the viewer as it was when the session was last
// seen, and whether that was in this request, so that it need not be confirmed.
func (c *Caller) Presumed(ctx context.Context) (v *model.Viewer, confirmed bool, err error) {
	if c.claims != nil {
		c.mu.Lock()
		asked := c.viewer != nil
		c.mu.Unlock()
		if v, ok := c.sessions.seen.Get(c.claims.SessionID); ok && !asked {
			return &v, false, nil
		}
	}
	v, err = c.Viewer(ctx)
	return v, true, err
}

// Seen takes note of on whose behalf the caller's session acts now; nil says
// that the session has ended. It returns what Viewer would.
func (c *Caller) Seen(v *model.Viewer) (*model.Viewer, error) {
	if v == nil || v.UserID != c.claims.UserID {
		c.sessions.seen.Remove(c.claims.SessionID)
		return nil, &TokenError{ReasonEnded}
	}
	c.sessions.seen.Add(c.claims.SessionID, *v)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.viewer = v
	return v, nil
}
