package auth

import (
	"context"
	"fmt"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// Refresh exchanges a refresh token for a new pair of tokens of the same
// session. A token that was exchanged before returns its successor again for a
// few seconds; afterwards, or after the successor was exchanged, it ends the
// session. Refresh fails with INVALID_TOKEN.
func (a *Accounts) Refresh(ctx context.Context, token string) (*SignedIn, error) {
	claims, err := a.Tokens.Verify(token, RefreshToken)
	if err != nil {
		return nil, invalidToken(err.Error())
	}
	from := store.Session{ID: claims.SessionID, UserID: claims.UserID, RefreshID: claims.JTI}
	to := store.Session{ID: claims.SessionID, UserID: claims.UserID}
	to.RefreshID, to.ExpiresAt = a.Tokens.NewRefresh()
	rotated, err := a.Store.RotateSession(ctx, from, to)
	if err != nil {
		return nil, err
	}
	latest := rotated.Session
	pair, err := a.Tokens.Sign(latest.UserID, latest.ID, latest.RefreshID, latest.ExpiresAt)
	if err != nil {
		return nil, fmt.Errorf("issue tokens: %w", err)
	}
	return a.signedIn(rotated.User, latest.ID, pair), nil
}

// Logout ends the viewer's session or, with a refresh token, the session of
// that token. It fails with INVALID_TOKEN if the token belongs to another
// account.
func (a *Accounts) Logout(ctx context.Context, v *model.Viewer, refresh *string) error {
	if refresh == nil {
		return a.Store.EndSession(ctx, v, v.SessionID)
	}
	claims, err := a.Tokens.Verify(*refresh, RefreshToken)
	if err != nil {
		return invalidToken(err.Error())
	}
	if claims.UserID != v.UserID {
		return invalidToken("Token is invalid")
	}
	return a.Store.EndSession(ctx, v, claims.SessionID)
}

// LogoutEverywhere ends all sessions of the viewer.
func (a *Accounts) LogoutEverywhere(ctx context.Context, v *model.Viewer) error {
	return a.Store.EndSessions(ctx, v, "")
}

func invalidToken(message string) error {
	return model.NewFieldError("refresh", model.CodeInvalidToken, message)
}
