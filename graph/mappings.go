package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

func (m mutation) AssignDoctor(ctx context.Context, input gen.AssignDoctorInput) (*gen.MappingPayload, error) {
	mapping := gen.NewMapping(input)
	mapping.PatientID, mapping.DoctorID = input.PatientID.Of(model.KindPatient), input.DoctorID.Of(model.KindDoctor)
	mapping, err := m.Store.AssignDoctor(ctx, viewer(ctx), mapping)
	return mappingPayload(ctx, mapping, err)
}

func (m mutation) UpdateMapping(ctx context.Context, id model.ID, input gen.UpdateMappingInput, expectedVersion *int) (*gen.MappingPayload, error) {
	mapping, err := m.Store.UpdateMapping(ctx, viewer(ctx), id.Of(model.KindMapping), expectedVersion, gen.MappingChanges(input))
	return mappingPayload(ctx, mapping, err)
}

func (m mutation) RemoveMapping(ctx context.Context, id model.ID, expectedVersion *int) (*gen.MappingPayload, error) {
	mapping, err := m.Store.RemoveMapping(ctx, viewer(ctx), id.Of(model.KindMapping), expectedVersion)
	return mappingPayload(ctx, mapping, err)
}

func mappingPayload(ctx context.Context, m *model.Mapping, err error) (*gen.MappingPayload, error) {
	userErrs, err := userErrors(ctx, err)
	return &gen.MappingPayload{Mapping: m, UserErrors: userErrs}, err
}
