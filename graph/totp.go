package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) StartTotp(ctx context.Context, password string, otp *string) (*gen.TotpPayload, error) {
	set, err := m.Accounts.StartTotp(ctx, viewer(ctx), password, auth.Client{Addr: m.ClientAddr(ctx), Otp: otp})
	return totpPayload(ctx, set, err)
}

func (m mutation) FinishTotp(ctx context.Context, code string) (*gen.TotpPayload, error) {
	set, err := m.Accounts.FinishTotp(ctx, viewer(ctx), code, auth.Client{Addr: m.ClientAddr(ctx)})
	return totpPayload(ctx, set, err)
}

func (m mutation) StopTotp(ctx context.Context, password, otp string) (*gen.AuthPayload, error) {
	in, err := m.Accounts.StopTotp(ctx, viewer(ctx), password, auth.Client{Addr: m.ClientAddr(ctx), Otp: &otp})
	return authPayload(ctx, in, err)
}

func totpPayload(ctx context.Context, set *auth.TotpSetUp, err error) (*gen.TotpPayload, error) {
	userErrs, err := userErrors(ctx, err)
	if err != nil || set == nil {
		return &gen.TotpPayload{UserErrors: userErrs}, err
	}
	payload := &gen.TotpPayload{RecoveryCodes: set.Codes, UserErrors: userErrs}
	if set.Secret != "" {
		payload.Secret, payload.Address = &set.Secret, &set.Address
	}
	if set.In != nil {
		current(ctx).setViewer(set.In.Viewer)
		payload.Tokens = tokenPair(set.In.Tokens)
	}
	return payload, nil
}

// setsUpTotp reports whether a session that must set up a second factor may call a root
// field, next to those that are open to everyone.
func setsUpTotp(root string) bool {
	switch root {
	case "Query.me", "Mutation.startTotp", "Mutation.finishTotp", "Mutation.logout":
		return true
	default:
		return false
	}
}

// setUpFirst returns FORBIDDEN if the session must set up a second factor.
func setUpFirst(ctx context.Context) error {
	if v := viewer(ctx); v == nil || !v.NeedsTotp {
		return nil
	}
	return needsTotp()
}

func needsTotp() error {
	return model.NewError(model.CodeForbidden, "This server requires a second factor. Set it up with startTotp and finishTotp first.")
}
