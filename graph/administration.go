package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/internal/auth"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

func (m mutation) EraseMe(ctx context.Context, password string, otp *string) (*gen.LogoutPayload, error) {
	return m.signedOut(ctx, m.Accounts.EraseMe(ctx, viewer(ctx), password, auth.Client{Addr: m.ClientAddr(ctx), Otp: otp}))
}

func (m mutation) DisableAccount(ctx context.Context, id model.ID, reason string) (*gen.UserPayload, error) {
	u, err := m.Store.DisableAccount(ctx, viewer(ctx), id.Of(model.KindUser), reason)
	return m.administered(ctx, u, err)
}

func (m mutation) EnableAccount(ctx context.Context, id model.ID) (*gen.UserPayload, error) {
	u, err := m.Store.EnableAccount(ctx, viewer(ctx), id.Of(model.KindUser))
	return m.administered(ctx, u, err)
}

func (m mutation) SetRole(ctx context.Context, id model.ID, role model.Role) (*gen.UserPayload, error) {
	u, err := m.Store.SetRole(ctx, viewer(ctx), id.Of(model.KindUser), role)
	return m.administered(ctx, u, err)
}

// administered looks the caller's own session up again, so that an administrator who
// disables their own account cannot call the next mutations of the same operation.
func (m mutation) administered(ctx context.Context, u *model.User, err error) (*gen.UserPayload, error) {
	userErrs, err := userErrors(ctx, err)
	if v := viewer(ctx); err == nil && u != nil && u.ID == v.UserID {
		v, err = m.Store.SessionViewer(ctx, v.SessionID)
		current(ctx).setViewer(v)
	}
	return &gen.UserPayload{User: u, UserErrors: userErrs}, err
}

func (m mutation) TransferPatients(ctx context.Context, input gen.TransferPatientsInput) (*gen.TransferPayload, error) {
	offer := store.Offer{From: input.FromID.Of(model.KindUser), To: input.ToID.Of(model.KindUser), Reason: input.Reason}
	if ids := input.PatientIds.Value(); ids != nil {
		offer.Patients = make([]int64, len(ids))
		for i, id := range ids {
			offer.Patients[i] = id.Of(model.KindPatient)
		}
	}
	t, err := m.Store.OfferTransfer(ctx, viewer(ctx), offer)
	return transferPayload(ctx, t, err)
}

func (m mutation) AcceptTransfer(ctx context.Context, id model.ID) (*gen.TransferPayload, error) {
	t, err := m.Store.AcceptTransfer(ctx, viewer(ctx), id.Of(model.KindTransfer))
	return transferPayload(ctx, t, err)
}

func transferPayload(ctx context.Context, t *model.Transfer, err error) (*gen.TransferPayload, error) {
	userErrs, err := userErrors(ctx, err)
	return &gen.TransferPayload{Transfer: t, UserErrors: userErrs}, err
}
