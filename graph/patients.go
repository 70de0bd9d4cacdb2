package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) CreatePatient(ctx context.Context, input gen.CreatePatientInput) (*gen.PatientPayload, error) {
	if owner := input.OwnerID.Value(); owner != nil {
		p, err := m.Store.CreateTeamPatient(ctx, viewer(ctx), owner.Of(model.KindUser), gen.NewPatient(input))
		return patientPayload(ctx, p, err)
	}
	p, err := m.Store.CreatePatient(ctx, viewer(ctx), gen.NewPatient(input))
	return patientPayload(ctx, p, err)
}

func (m mutation) UpdatePatient(
	ctx context.Context, id model.ID, input gen.UpdatePatientInput, expectedVersion *int,
) (*gen.PatientPayload, error) {
	p, err := m.Store.UpdatePatient(ctx, viewer(ctx), id.Of(model.KindPatient), expectedVersion, gen.PatientChanges(input))
	return patientPayload(ctx, p, err)
}

func (m mutation) DeletePatient(ctx context.Context, id model.ID, expectedVersion *int) (*gen.PatientPayload, error) {
	p, err := m.Store.DeletePatient(ctx, viewer(ctx), id.Of(model.KindPatient), expectedVersion)
	return patientPayload(ctx, p, err)
}

func (m mutation) RestorePatient(ctx context.Context, id model.ID) (*gen.PatientPayload, error) {
	p, err := m.Store.RestorePatient(ctx, viewer(ctx), id.Of(model.KindPatient))
	return patientPayload(ctx, p, err)
}

func patientPayload(ctx context.Context, p *model.Patient, err error) (*gen.PatientPayload, error) {
	taken := model.CodeOf(err) == model.CodeTaken
	userErrs, err := userErrors(ctx, err)
	if taken { // p is another record, which has the value
		return &gen.PatientPayload{Existing: p, UserErrors: userErrs}, err
	}
	return &gen.PatientPayload{Patient: p, UserErrors: userErrs}, err
}
