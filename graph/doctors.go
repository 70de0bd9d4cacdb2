package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

func (m mutation) CreateDoctor(ctx context.Context, input gen.CreateDoctorInput) (*gen.DoctorPayload, error) {
	d, err := m.Store.CreateDoctor(ctx, viewer(ctx), gen.NewDoctor(input), input.IsMe)
	return doctorPayload(ctx, d, err)
}

func (m mutation) UpdateDoctor(
	ctx context.Context, id model.ID, input gen.UpdateDoctorInput, expectedVersion *int,
) (*gen.DoctorPayload, error) {
	d, err := m.Store.UpdateDoctor(ctx, viewer(ctx), id.Of(model.KindDoctor), expectedVersion, gen.DoctorChanges(input))
	return doctorPayload(ctx, d, err)
}

func (m mutation) DeleteDoctor(ctx context.Context, id model.ID, expectedVersion *int) (*gen.DoctorPayload, error) {
	d, err := m.Store.DeleteDoctor(ctx, viewer(ctx), id.Of(model.KindDoctor), expectedVersion)
	return doctorPayload(ctx, d, err)
}

func (m mutation) RestoreDoctor(ctx context.Context, id model.ID) (*gen.DoctorPayload, error) {
	d, err := m.Store.RestoreDoctor(ctx, viewer(ctx), id.Of(model.KindDoctor))
	return doctorPayload(ctx, d, err)
}

func (m mutation) VerifyDoctor(
	ctx context.Context, id model.ID, input gen.VerifyDoctorInput, expectedVersion int,
) (*gen.DoctorPayload, error) {
	d, err := m.Store.VerifyDoctor(ctx, viewer(ctx), id.Of(model.KindDoctor), expectedVersion, store.Verification{
		IsVerified: input.IsVerified, Account: linkedAccount(input), LinkCode: input.LinkCode.Value(), KeepsMappings: input.KeepsMappings,
	})
	return doctorPayload(ctx, d, err)
}

func doctorPayload(ctx context.Context, d *model.Doctor, err error) (*gen.DoctorPayload, error) {
	taken := model.CodeOf(err) == model.CodeTaken
	userErrs, err := userErrors(ctx, err)
	if taken { // d is another entry, which has the value
		return &gen.DoctorPayload{Existing: d, UserErrors: userErrs}, err
	}
	return &gen.DoctorPayload{Doctor: d, UserErrors: userErrs}, err
}

// linkedAccount returns nil for an unchanged link, and a pointer to nil for no account.
func linkedAccount(in gen.VerifyDoctorInput) **int64 {
	id, set := in.AccountID.ValueOK()
	if !set {
		return nil
	}
	var account *int64
	if id != nil {
		num := id.Of(model.KindUser)
		account = &num
	}
	return &account
}
