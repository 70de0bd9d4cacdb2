package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// PatientQuery says which patients, in which order.
type PatientQuery struct {
	Page       model.PageArgs
	Search     *string
	Gender     *model.Gender
	BloodGroup *model.BloodGroup
	BornFrom   *model.Date
	BornTo     *model.Date
	// DoctorID keeps those with an active mapping to the doctor.
	DoctorID   *int64
	Deleted    model.DeletedFilter
	OrderBy    model.PatientOrderField
	Descending bool
}

func (q PatientQuery) sorting() sorting {
	o := sorting{Order: model.Order{List: "patients", Field: string(q.OrderBy), Descending: q.Descending}}
	switch q.OrderBy {
	case model.PatientsByName:
		o.column, o.Key = "patient.name_key", model.KeyText
	case model.PatientsByDateOfBirth:
		o.column, o.Key = "patient.date_of_birth", model.KeyDate
	case model.PatientsByUpdatedAt:
		o.column, o.Key = "patient.updated_at", model.KeyTime
	default:
		o.column, o.Key = "patient.created_at", model.KeyTime
	}
	return o
}

func (q PatientQuery) check() error {
	for field, date := range map[string]*model.Date{"bornFrom": q.BornFrom, "bornTo": q.BornTo} {
		if date != nil && !date.Valid() {
			return model.RefuseField(field, model.CodeBadUserInput, field+" must be a date, such as 1990-05-15.")
		}
	}
	return checkTexts(map[string]*string{"search": q.Search})
}

func (s *Store) patientConditions(v sight, f PatientQuery) []condition {
	var c []condition
	if f.Search != nil {
		c = append(c, search(patients(), *f.Search))
	}
	if f.Gender != nil {
		c = append(c, s.readable(patients(), v, "gender"), when("patient.gender = ?", *f.Gender))
	}
	if f.BloodGroup != nil {
		c = append(c, s.readable(patients(), v, "bloodGroup"), when("patient.blood_group = ?", *f.BloodGroup))
	}
	if f.BornFrom != nil {
		c = append(c, when("patient.date_of_birth >= ?", *f.BornFrom))
	}
	if f.BornTo != nil {
		c = append(c, when("patient.date_of_birth <= ?", *f.BornTo))
	}
	if f.DoctorID != nil {
		c = append(c, s.readable(patients(), v, "doctors"), when(
			"EXISTS (SELECT FROM mappings AS m WHERE m.patient_id = patient.id AND m.doctor_id = ? AND m.is_active)", *f.DoctorID))
	}
	return c
}

// Patient returns the patient with the id, or NOT_FOUND.
func (s *Store) Patient(ctx context.Context, v *model.Viewer, id int64) (*model.Patient, error) {
	return one[model.Patient](ctx, s, s.db, patients(), v, id, "id")
}

// PatientsByIDs returns those of the patients that exist for the viewer, in no
// order.
func (s *Store) PatientsByIDs(ctx context.Context, v *model.Viewer, ids []int64) ([]*model.Patient, error) {
	return byIDs[model.Patient](ctx, s, patients(), v, ids, model.DeletedExclude)
}

// Patients returns a page of patients. It refuses bad page arguments and
// filters with BAD_USER_INPUT and INVALID_CURSOR.
func (s *Store) Patients(ctx context.Context, v *model.Viewer, f PatientQuery) (*model.List[*model.Patient], error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return readList[model.Patient](ctx, s, v, s.patientQuery(ofViewer(v), f))
}

// CountPatients returns how many patients the query has on all pages.
func (s *Store) CountPatients(ctx context.Context, v *model.Viewer, f PatientQuery) (int, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	return countList[model.Patient](ctx, s, v, s.patientQuery(ofViewer(v), f))
}

func (s *Store) patientQuery(v sight, f PatientQuery) query {
	return query{
		table: patients(), by: byScan, deleted: f.Deleted, order: f.sorting(), page: f.Page,
		conditions: s.patientConditions(v, f),
	}
}

// CreatePatient stores a new patient of the viewer's. It refuses with
// REQUIRED, INVALID and TOO_LONG, and with TAKEN for an e-mail address that
// another live patient of the same owner has.
func (s *Store) CreatePatient(ctx context.Context, v *model.Viewer, p *model.Patient) (*model.Patient, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	if err := p.Validate(s.now()); err != nil {
		return nil, err
	}
	p.CreatedBy = v.UserID
	made, err := s.insert(ctx, p)
	if err != nil {
		return nil, translate("create patient", err)
	}
	p.ID, p.CreatedAt, p.UpdatedAt, p.Version = made.id, made.createdAt, made.updatedAt, made.version
	p.Relations = PatientRelations(v, p, nil)
	return p, nil
}

// UpdatePatient applies the changes. It refuses with NOT_FOUND, DELETED,
// FORBIDDEN for each field the viewer may not set, VERSION_CONFLICT together
// with the present record, and whatever CreatePatient refuses.
func (s *Store) UpdatePatient(ctx context.Context, v *model.Viewer, id int64, expected *int, changes []model.Change[model.Patient]) (*model.Patient, error) {
	return edit(ctx, s, patients(), v, id, expected, update[model.Patient]{
		changes:  changes,
		validate: func(p *model.Patient) error { return p.Validate(s.now()) },
	})
}

// DeletePatient marks the patient deleted and ends its active mappings. It
// refuses with NOT_FOUND, DELETED, FORBIDDEN and VERSION_CONFLICT.
func (s *Store) DeletePatient(ctx context.Context, v *model.Viewer, id int64, expected *int) (*model.Patient, error) {
	now := s.now()
	return edit(ctx, s, patients(), v, id, expected, update[model.Patient]{
		changes: deletion[model.Patient](now),
		after: func(ctx context.Context, tx bun.Tx, p *model.Patient) error {
			return s.endMappings(ctx, tx, OfPatient, p.ID, now)
		},
	})
}

// RestorePatient undoes DeletePatient, but for the mappings, which stay ended.
// It refuses with NOT_FOUND and FORBIDDEN, and with TAKEN when another live
// patient of the owner has the e-mail address by now.
func (s *Store) RestorePatient(ctx context.Context, v *model.Viewer, id int64) (*model.Patient, error) {
	return edit(ctx, s, patients(), v, id, nil, update[model.Patient]{changes: restoration[model.Patient](), restores: true})
}
