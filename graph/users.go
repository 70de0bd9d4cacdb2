package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) Register(ctx context.Context, input gen.RegisterInput) (*gen.AuthPayload, error) {
	if m.RegistrationClosed {
		return nil, model.NewError(model.CodeForbidden, "This server does not accept registrations. Ask its operator for an account.")
	}
	in, err := m.Accounts.Register(ctx, gen.NewUser(input), input.Password, m.client(ctx, nil, input.Client.Value()))
	return authPayload(ctx, in, err)
}

func (m mutation) Login(ctx context.Context, input gen.LoginInput) (*gen.AuthPayload, error) {
	from := m.client(ctx, input.Device.Value(), input.Client.Value())
	from.Otp = input.Otp.Value()
	in, err := m.Accounts.Login(ctx, input.Email, input.Password, from)
	return authPayload(ctx, in, err)
}

func (m mutation) RefreshToken(ctx context.Context, refresh string) (*gen.AuthPayload, error) {
	in, err := m.Accounts.Refresh(ctx, refresh)
	return authPayload(ctx, in, err)
}

func (m mutation) ChangePassword(ctx context.Context, input gen.ChangePasswordInput) (*gen.AuthPayload, error) {
	in, err := m.Accounts.ChangePassword(ctx, viewer(ctx), input.CurrentPassword, input.NewPassword, m.ClientAddr(ctx))
	return authPayload(ctx, in, err)
}

func (m mutation) Logout(ctx context.Context, refresh *string) (*gen.LogoutPayload, error) {
	return m.signedOut(ctx, m.Accounts.Logout(ctx, viewer(ctx), refresh))
}

func (m mutation) LogoutEverywhere(ctx context.Context) (*gen.LogoutPayload, error) {
	return m.signedOut(ctx, m.Accounts.LogoutEverywhere(ctx, viewer(ctx)))
}

func (m mutation) UpdateMe(ctx context.Context, input gen.UpdateMeInput) (*gen.UserPayload, error) {
	u, err := m.Accounts.UpdateMe(ctx, viewer(ctx), gen.UserChanges(input), m.ClientAddr(ctx))
	userErrs, err := userErrors(ctx, err)
	return &gen.UserPayload{User: u, UserErrors: userErrs}, err
}

func (m mutation) ReadNotices(ctx context.Context, upTo model.ID) (*gen.UserPayload, error) {
	u, err := m.Store.ReadNotices(ctx, viewer(ctx), upTo.Of(model.KindNotice))
	userErrs, err := userErrors(ctx, err)
	return &gen.UserPayload{User: u, UserErrors: userErrs}, err
}

// client returns where a sign-in comes from. It keeps the token of its device if it asks
// for it.
func (m mutation) client(ctx context.Context, device, name *string) auth.Client {
	client := auth.Client{Addr: m.ClientAddr(ctx), Name: name}
	if device != nil {
		client.Device = *device
	}
	for _, field := range graphql.CollectFieldsCtx(ctx, []string{"AuthPayload", "MutationPayload"}) {
		client.Remember = client.Remember || field.Name == "device"
	}
	return client
}

func authPayload(ctx context.Context, in *auth.SignedIn, err error) (*gen.AuthPayload, error) {
	userErrs, err := userErrors(ctx, err)
	if err != nil || in == nil {
		return &gen.AuthPayload{UserErrors: userErrs}, err
	}
	current(ctx).setViewer(in.Viewer)
	var device *string
	if in.Device != "" {
		device = &in.Device
	}
	return &gen.AuthPayload{User: in.User, Device: device, UserErrors: userErrs, Tokens: tokenPair(in.Tokens)}, nil
}

func tokenPair(pair auth.Pair) *gen.TokenPair {
	return &gen.TokenPair{
		Access:           pair.Access,
		Refresh:          pair.Refresh,
		AccessExpiresAt:  model.DateTime{Time: pair.AccessExpiresAt},
		RefreshExpiresAt: model.DateTime{Time: pair.RefreshExpiresAt},
	}
}

// signedOut looks the session up again, so that an ended session does not admit the next
// mutations of the same operation.
func (m mutation) signedOut(ctx context.Context, err error) (*gen.LogoutPayload, error) {
	userErrs, err := userErrors(ctx, err)
	if err != nil || len(userErrs) > 0 || viewer(ctx) == nil {
		return &gen.LogoutPayload{UserErrors: userErrs}, err
	}
	v, err := m.Store.SessionViewer(ctx, viewer(ctx).SessionID)
	current(ctx).setViewer(v)
	return &gen.LogoutPayload{UserErrors: userErrs}, err
}
