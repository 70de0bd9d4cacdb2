package auth

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/model"
)

// VerifyToken returns nil for a valid access or refresh token: we signed it, it
// has not expired, and its session is open. Otherwise it fails with
// INVALID_TOKEN and the text of a *TokenError. It does not check whether a
// refresh token was exchanged already: only Refresh, which ends the session in
// that case, may reveal that.
func (a *Accounts) VerifyToken(ctx context.Context, token string) error {
	claims, err := a.Tokens.Verify(token, AccessToken)
	if refused, ok := errors.AsType[*TokenError](err); ok && refused.Reason == ReasonWrongType {
		claims, err = a.Tokens.Verify(token, RefreshToken)
	}
	if err != nil {
		return refuseToken(err)
	}
	v, err := a.Store.SessionViewer(ctx, claims.SessionID)
	switch {
	case err != nil:
		return err
	case v == nil || v.UserID != claims.UserID:
		return refuseToken(&TokenError{ReasonEnded})
	}
	return nil
}

func refuseToken(err error) error {
	return model.NewFieldError("token", model.CodeInvalidToken, err.Error())
}
