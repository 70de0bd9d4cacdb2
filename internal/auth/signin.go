package auth

import (
	"cmp"
	"context"
	"errors"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

// begin begins to check a secret of an account. It fails with TOO_MANY_ATTEMPTS.
func (a *Accounts) begin(ctx context.Context, c *store.Credential, account string, from Client) (*attempt, error) {
	attempt, err := a.Throttle.signIn(ctx, c, account, from)
	if soon, ok := errors.AsType[*tooSoon](err); ok {
		a.signIns.throttled.Add(1)
		a.Store.CountEvent(ctx, model.EventSignInThrottled, c.ID())
		return nil, tooManyAttempts(soon)
	}
	return attempt, err
}

// verifySecond checks the second factor of an attempt with the right password. A wrong code
// uses up budgets; a missing one uses up and refills none.
func (a *Accounts) verifySecond(ctx context.Context, at *attempt, c *store.Credential, second func() error) error {
	if second == nil {
		return nil
	}
	err := second()
	switch model.CodeOf(err) {
	case model.CodeOtpRequired:
		a.Store.CountEvent(ctx, model.EventSignInFailed, c.ID())
	case model.CodeInvalidCode:
		a.signIns.wrong.Add(1)
		return cmp.Or(at.failed(ctx), err)
	default:
	}
	return err
}

// renewed returns the account of a session that has just begun.
func (a *Accounts) renewed(ctx context.Context, sessionID string, pair Pair) (*SignedIn, error) {
	v, err := a.Store.SessionViewer(ctx, sessionID)
	switch {
	case err != nil:
		return nil, err
	case v == nil:
		return nil, invalidToken("This session has ended. Sign in again.")
	}
	u, err := a.Store.User(ctx, v, v.UserID)
	if err != nil {
		return nil, err
	}
	return &SignedIn{User: u, Viewer: v, Tokens: pair}, nil
}
