package auth

import (
	"context"
	"net/http"
	"strings"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Caller is who sent a request.
type Caller struct {
	// Viewer is the account of a valid access token; nil without one.
	Viewer *model.Viewer
	// Refused says why the token that was presented is no good: a *TokenError,
	// or a *model.Error with UNAVAILABLE. It is nil when none was presented.
	Refused error
}

type callerKey struct{}

// WithCaller returns a context that knows its caller.
func WithCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns the caller of a request: nobody, if Identify did not see
// it.
func CallerFrom(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}

// Identify finds out who is calling from the header Authorization (RFC 6750,
// 2.1) and lets every request through: what a caller may do is not its to say.
// Each request asks whether the session still lives, so that an ended one is
// refused at once.
func Identify(s *store.Store, t *Tokens, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller := identify(r.Context(), s, t, r.Header.Get("Authorization"))
		next.ServeHTTP(w, r.WithContext(WithCaller(r.Context(), caller)))
	})
}

func identify(ctx context.Context, s *store.Store, t *Tokens, header string) Caller {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return Caller{} // no credentials of a kind that we know are none
	}
	if token == "" || strings.Contains(token, " ") {
		return Caller{Refused: &TokenError{ReasonBadHeader}}
	}
	claims, err := t.Verify(token, AccessToken)
	if err != nil {
		return Caller{Refused: err}
	}
	v, err := s.SessionViewer(ctx, claims.SessionID)
	switch {
	case err != nil:
		return Caller{Refused: err}
	case v == nil || v.UserID != claims.UserID:
		return Caller{Refused: &TokenError{ReasonEnded}}
	}
	return Caller{Viewer: v}
}
