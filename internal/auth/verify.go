package auth

import (
	"context"
	"errors"

	"github.com/caregraph/caregraph/model"
)

// VerifyToken returns nil for an access or refresh token that is good now: we
// signed it, it has not expired, and its session lives. Otherwise it refuses
// with INVALID_TOKEN, in the words of a *TokenError. It does not ask whether a
// refresh token was exchanged already: only Refresh, which ends the session of
// one that was, may find that out.
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
	return model.RefuseField("token", model.CodeInvalidToken, err.Error())
}
