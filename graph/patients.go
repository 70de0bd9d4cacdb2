package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

func (q query) Patient(ctx context.Context, id model.ID) (*model.Patient, error) {
	return absent(q.Store.Patient(ctx, viewer(ctx), id.Of(model.KindPatient)))
}

func (q query) Patients(
	ctx context.Context, first *int, after *string, last *int, before, search *string,
	filter *model.PatientFilter, orderBy *model.PatientOrder,
) (*model.PatientConnection, error) {
	page := model.PageArgs{First: first, After: after, Last: last, Before: before}
	f, v := patientQuery(page, search, filter, orderBy), viewer(ctx)
	l, err := q.Store.Patients(ctx, v, f)
	if err != nil {
		return nil, err
	}
	count := func(ctx context.Context) (int, error) { return q.Store.CountPatients(ctx, v, f) }
	return &model.PatientConnection{Connection: connect(l, patientEdge, count)}, nil
}

func (m mutation) CreatePatient(ctx context.Context, input gen.CreatePatientInput) (*gen.PatientPayload, error) {
	p, err := m.Store.CreatePatient(ctx, viewer(ctx), newPatient(input))
	return patientPayload(ctx, p, err)
}

func (m mutation) UpdatePatient(
	ctx context.Context, id model.ID, input gen.UpdatePatientInput, expectedVersion *int,
) (*gen.PatientPayload, error) {
	p, err := m.Store.UpdatePatient(ctx, viewer(ctx), id.Of(model.KindPatient), expectedVersion, patientChanges(input))
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
	faults, err := userErrors(ctx, err)
	return &gen.PatientPayload{Patient: p, UserErrors: faults}, err
}

func (r patient) Age(_ context.Context, p *model.Patient) (int, error) {
	return p.AgeAt(r.Now()), nil
}

func (r patient) CreatedBy(ctx context.Context, p *model.Patient) (*model.User, error) {
	return orNil(ctx, load(ctx).users, p.CreatedBy)
}

func (r patient) Viewer(_ context.Context, p *model.Patient) (*gen.ViewerAccess, error) {
	return r.access(p), nil
}

func (r patient) Mappings(
	ctx context.Context, p *model.Patient, first *int, after *string, last *int, before *string, isActive *bool,
) (*model.MappingConnection, error) {
	return mappingConnection(ctx, newPage(store.OfPatient, p.ID, first, after, last, before, isActive))
}

func (r patient) Doctors(
	ctx context.Context, p *model.Patient, first *int, after *string, last *int, before *string,
) (*model.PatientDoctorConnection, error) {
	active := true
	key := newPage(store.OfPatient, p.ID, first, after, last, before, &active)
	l, err := load(ctx).mappings.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	c, err := assigned(ctx, l, key, doctorsOf, func(e model.AssignmentEdge[*model.Doctor]) *model.PatientDoctorEdge {
		return &model.PatientDoctorEdge{AssignmentEdge: e}
	})
	return &model.PatientDoctorConnection{Connection: c}, err
}

func doctorsOf(ctx context.Context, mappings []*model.Mapping) ([]*model.Doctor, error) {
	ids := make([]int64, len(mappings))
	for i, m := range mappings {
		ids[i] = m.DoctorID
	}
	return allOrNil(ctx, load(ctx).doctors, ids)
}

func newPage(side store.Side, parent int64, first *int, after *string, last *int, before *string, isActive *bool) pageOf {
	return pageOf{part{side, given(first), given(last), given(after), given(before), given(isActive)}, parent}
}
