package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) ConfirmEmail(ctx context.Context, code string, password *string) (*gen.UserPayload, error) {
	u, err := m.Accounts.ConfirmEmail(ctx, viewer(ctx), code, password, m.ClientAddr(ctx))
	userErrs, err := userErrors(ctx, err)
	return &gen.UserPayload{User: u, UserErrors: userErrs}, err
}

func (m mutation) SendConfirmation(ctx context.Context) (*gen.UserPayload, error) {
	u, err := m.Accounts.SendConfirmation(ctx, viewer(ctx))
	userErrs, err := userErrors(ctx, err)
	return &gen.UserPayload{User: u, UserErrors: userErrs}, err
}

func (m mutation) RequestPasswordReset(ctx context.Context, email model.EmailAddress) (*gen.LogoutPayload, error) {
	userErrs, err := userErrors(ctx, m.Accounts.RequestReset(ctx, email, m.ClientAddr(ctx)))
	return &gen.LogoutPayload{UserErrors: userErrs}, err
}

func (m mutation) ResetPassword(ctx context.Context, token, newPassword string, otp *string) (*gen.LogoutPayload, error) {
	return m.signedOut(ctx, m.Accounts.ResetPassword(ctx, token, newPassword, auth.Client{Addr: m.ClientAddr(ctx), Otp: otp}))
}

func (m mutation) CreateLinkCode(ctx context.Context) (*gen.LinkCodePayload, error) {
	code, expiresAt, err := m.Store.CreateLinkCode(ctx, viewer(ctx))
	userErrs, err := userErrors(ctx, err)
	if err != nil || code == "" {
		return &gen.LinkCodePayload{UserErrors: userErrs}, err
	}
	return &gen.LinkCodePayload{Code: &code, ExpiresAt: &model.DateTime{Time: expiresAt}, UserErrors: userErrs}, nil
}
