package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
)

func (q query) Mapping(ctx context.Context, id model.ID) (*model.Mapping, error) {
	return absent(q.Store.Mapping(ctx, viewer(ctx), id.Of(model.KindMapping)))
}

func (q query) Mappings(
	ctx context.Context, first *int, after *string, last *int, before *string,
	filter *model.MappingFilter, orderBy *model.MappingOrder,
) (*model.MappingConnection, error) {
	page := model.PageArgs{First: first, After: after, Last: last, Before: before}
	f, v := mappingQuery(page, filter, orderBy), viewer(ctx)
	l, err := q.Store.Mappings(ctx, v, f)
	if err != nil {
		return nil, err
	}
	count := func(ctx context.Context) (int, error) { return q.Store.CountMappings(ctx, v, f) }
	return &model.MappingConnection{Connection: connect(l, mappingEdge, count)}, nil
}

func (m mutation) AssignDoctor(ctx context.Context, input gen.AssignDoctorInput) (*gen.MappingPayload, error) {
	made, err := m.Store.AssignDoctor(ctx, viewer(ctx), newMapping(input))
	return mappingPayload(ctx, made, err)
}

func (m mutation) UpdateMapping(ctx context.Context, id model.ID, input gen.UpdateMappingInput) (*gen.MappingPayload, error) {
	changed, err := m.Store.UpdateMapping(ctx, viewer(ctx), id.Of(model.KindMapping), mappingChanges(input))
	return mappingPayload(ctx, changed, err)
}

func (m mutation) RemoveMapping(ctx context.Context, id model.ID) (*gen.MappingPayload, error) {
	ended, err := m.Store.RemoveMapping(ctx, viewer(ctx), id.Of(model.KindMapping))
	return mappingPayload(ctx, ended, err)
}

func mappingPayload(ctx context.Context, m *model.Mapping, err error) (*gen.MappingPayload, error) {
	faults, err := userErrors(ctx, err)
	return &gen.MappingPayload{Mapping: m, UserErrors: faults}, err
}

func (r mapping) Patient(ctx context.Context, m *model.Mapping) (*model.Patient, error) {
	return orNil(ctx, load(ctx).patients, m.PatientID)
}

func (r mapping) Doctor(ctx context.Context, m *model.Mapping) (*model.Doctor, error) {
	return orNil(ctx, load(ctx).doctors, m.DoctorID)
}

func (r mapping) CreatedBy(ctx context.Context, m *model.Mapping) (*model.User, error) {
	return orNil(ctx, load(ctx).users, m.CreatedBy)
}

func (r mapping) Viewer(_ context.Context, m *model.Mapping) (*gen.ViewerAccess, error) {
	return r.access(m), nil
}
