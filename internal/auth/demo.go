package auth

import (
	"context"
	"crypto/rand"

	"github.com/caregraph/caregraph/model"
)

// SignInAs begins a session of an account from a client, without a password. It is for the
// accounts of the demo alone, whose passwords no one knows. It fails with NOT_FOUND for an
// account that is not active.
func (a *Accounts) SignInAs(ctx context.Context, userID int64, client string) (*SignedIn, error) {
	credential, err := a.Store.CredentialOf(ctx, &model.Viewer{UserID: userID})
	if err != nil {
		return nil, err
	}
	pair, session, err := a.session(userID, rand.Text())
	if err != nil {
		return nil, err
	}
	session.Client, session.HasOtp = &client, credential.HasTotp
	u, err := a.Store.CreateSession(ctx, session, credential.PasswordHash)
	if err != nil {
		return nil, err
	}
	return a.signedIn(u, session.ID, pair), nil
}
