package graph

import (
	"context"

	"github.com/caregraph/caregraph/graph/gen"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
)

func (q query) Doctor(ctx context.Context, id model.ID) (*model.Doctor, error) {
	return absent(q.Store.Doctor(ctx, viewer(ctx), id.Of(model.KindDoctor)))
}

func (q query) Doctors(
	ctx context.Context, first *int, after *string, last *int, before, search *string,
	filter *model.DoctorFilter, orderBy *model.DoctorOrder,
) (*model.DoctorConnection, error) {
	page := model.PageArgs{First: first, After: after, Last: last, Before: before}
	f, v := doctorQuery(page, search, filter, orderBy), viewer(ctx)
	l, err := q.Store.Doctors(ctx, v, f)
	if err != nil {
		return nil, err
	}
	count := func(ctx context.Context) (int, error) { return q.Store.CountDoctors(ctx, v, f) }
	return &model.DoctorConnection{Connection: connect(l, doctorEdge, count)}, nil
}

func (q query) Specializations(ctx context.Context) ([]*model.Specialization, error) {
	return q.Store.Specializations(ctx, viewer(ctx))
}

func (m mutation) CreateDoctor(ctx context.Context, input gen.CreateDoctorInput) (*gen.DoctorPayload, error) {
	d, err := m.Store.CreateDoctor(ctx, viewer(ctx), newDoctor(input), input.IsMe)
	return doctorPayload(ctx, d, err)
}

func (m mutation) UpdateDoctor(
	ctx context.Context, id model.ID, input gen.UpdateDoctorInput, expectedVersion *int,
) (*gen.DoctorPayload, error) {
	d, err := m.Store.UpdateDoctor(ctx, viewer(ctx), id.Of(model.KindDoctor), expectedVersion, doctorChanges(input))
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
	ctx context.Context, id model.ID, input gen.VerifyDoctorInput, expectedVersion *int,
) (*gen.DoctorPayload, error) {
	d, err := m.Store.VerifyDoctor(ctx, viewer(ctx), id.Of(model.KindDoctor), expectedVersion, input.IsVerified, linkedAccount(input))
	return doctorPayload(ctx, d, err)
}

func doctorPayload(ctx context.Context, d *model.Doctor, err error) (*gen.DoctorPayload, error) {
	faults, err := userErrors(ctx, err)
	return &gen.DoctorPayload{Doctor: d, UserErrors: faults}, err
}

func (r doctor) Account(ctx context.Context, d *model.Doctor) (*model.User, error) {
	if d.AccountID == nil {
		return nil, nil //nolint:nilnil // an entry that is linked to no account
	}
	return orNil(ctx, load(ctx).users, *d.AccountID)
}

func (r doctor) CreatedBy(ctx context.Context, d *model.Doctor) (*model.User, error) {
	return orNil(ctx, load(ctx).users, d.CreatedBy)
}

func (r doctor) Viewer(_ context.Context, d *model.Doctor) (*gen.ViewerAccess, error) {
	return r.access(d), nil
}

func (r doctor) Mappings(
	ctx context.Context, d *model.Doctor, first *int, after *string, last *int, before *string, isActive *bool,
) (*model.MappingConnection, error) {
	return mappingConnection(ctx, newPage(store.OfDoctor, d.ID, first, after, last, before, isActive))
}

func (r doctor) Patients(
	ctx context.Context, d *model.Doctor, first *int, after *string, last *int, before *string,
) (*model.DoctorPatientConnection, error) {
	active := true
	key := newPage(store.OfDoctor, d.ID, first, after, last, before, &active)
	l, err := load(ctx).mappings.Load(ctx, key)
	if err != nil {
		return nil, err
	}
	c, err := assigned(ctx, l, key, patientsOf, func(e model.AssignmentEdge[*model.Patient]) *model.DoctorPatientEdge {
		return &model.DoctorPatientEdge{AssignmentEdge: e}
	})
	return &model.DoctorPatientConnection{Connection: c}, err
}

func patientsOf(ctx context.Context, mappings []*model.Mapping) ([]*model.Patient, error) {
	ids := make([]int64, len(mappings))
	for i, m := range mappings {
		ids[i] = m.PatientID
	}
	return allOrNil(ctx, load(ctx).patients, ids)
}
