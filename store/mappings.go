package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// filterMappings returns the conditions of the arguments of mappings: the active
// ones, unless the filter says otherwise.
func filterMappings(_ query.Scope, args query.Args) (q query.Selection, err error) {
	active := true
	f := query.Arg[model.MappingFilter](args, "filter")
	if f == nil {
		f = &model.MappingFilter{IsActive: &active}
	}
	if f.PatientID != nil {
		q.Path = query.Lookup
		q.Conditions = append(q.Conditions, query.Where("mapping.patient_id = ?", f.PatientID.Of(model.KindPatient)))
	}
	if f.DoctorID != nil {
		q.Path = query.Lookup
		q.Conditions = append(q.Conditions, query.Where("mapping.doctor_id = ?", f.DoctorID.Of(model.KindDoctor)))
	}
	q.Conditions = append(q.Conditions, mappingIsActive(f.IsActive)...)
	// Those of a large owner come from the order of all mappings, those of a small one
	// from its patients.
	q.Selective = q.Path == query.Scan
	return q, nil
}

func mappingIsActive(active *bool) []query.Condition {
	switch {
	case active == nil:
		return nil
	case *active:
		return whereActive(nil)
	default:
		return []query.Condition{query.Where("NOT mapping.is_active")}
	}
}

// AssignDoctor creates an active mapping of the pair. It returns NOT_FOUND for a
// patient or doctor that does not exist for the viewer, DELETED for one that the
// viewer may restore, FORBIDDEN for a patient of another owner, and ALREADY_ASSIGNED
// together with the active mapping.
func (s *Store) AssignDoctor(ctx context.Context, v *model.Viewer, m *model.Mapping) (*model.Mapping, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Mapping, error) { return s.assignDoctor(ctx, v, m) })
}

func (s *Store) assignDoctor(ctx context.Context, v *model.Viewer, m *model.Mapping) (*model.Mapping, error) {
	if err := m.Validate(s.Constraints("Mapping")); err != nil {
		return nil, err
	}
	m.IsActive, m.CreatedBy = true, v.UserID
	exactly, err := s.admit(ctx, v, m)
	if err != nil {
		return nil, err
	}
	leave, err := s.rows.enter(ctx, rowKey{v.UserID, "Doctor", m.DoctorID})
	if err != nil {
		return nil, s.translate(ctx, "assign doctor", err)
	}
	defer leave()
	err = s.inRowTx(ctx, "assign doctor", v, "Patient", m.PatientID, func(ctx context.Context, tx bun.Tx) (err error) {
		if exactly {
			if err := s.lockQuota(ctx, tx, v, m); err != nil {
				return err
			}
		}
		patient, patientErr := lockLive[model.Patient](ctx, s, tx, v, m.PatientID, "patientId")
		_, doctorErr := lockLive[model.Doctor](ctx, s, tx, v, m.DoctorID, "doctorId")
		if err := joinErrors(patientErr, doctorErr); err != nil {
			return err
		}
		if !s.policy.Field("Patient", "doctors").CanWrite(patient.Relations) {
			return model.NewFieldError("patientId", model.CodeForbidden, "Only the patient's owner may assign a doctor.")
		}
		if err := s.insertIn(ctx, tx, m, m, changedColumns("Mapping")); err != nil {
			return err
		}
		m, err = reload[model.Mapping](ctx, s, tx, v, m.ID) // the owner may be the doctor
		return err
	})
	if err != nil {
		return holder(ctx, s, v, m, err)
	}
	return m, nil
}

// lockLive reads a live row and protects it against deletion until the transaction
// ends.
func lockLive[T any, P owned[T]](ctx context.Context, s *Store, tx bun.Tx, v *model.Viewer, id int64, field string) (P, error) {
	row, err := lock[T, P](ctx, s, tx, v, id, field, "SHARE")
	if err == nil && row.Life().DeletedAt != nil {
		return nil, deleted(field)
	}
	return row, err
}

// UpdateMapping applies the changes to an active mapping in the expected version; nil is
// any. It returns NOT_FOUND, DELETED together with an ended one, FORBIDDEN,
// VERSION_CONFLICT together with the current record, TOO_LONG and INVALID.
func (s *Store) UpdateMapping(ctx context.Context, v *model.Viewer, id int64, expected *int, changes []model.Change[model.Mapping]) (*model.Mapping, error) {
	return s.editMapping(ctx, v, id, expected, update[model.Mapping]{
		changes:  changes,
		validate: func(m *model.Mapping) error { return m.Validate(s.Constraints("Mapping")) },
	})
}

// RemoveMapping ends an active mapping in the expected version; nil is any. The pair can be
// assigned again. It returns NOT_FOUND, DELETED together with an ended one, FORBIDDEN, and
// VERSION_CONFLICT together with the current record.
func (s *Store) RemoveMapping(ctx context.Context, v *model.Viewer, id int64, expected *int) (*model.Mapping, error) {
	ended := model.DateTime{Time: s.now()}
	var lost []int64
	return s.editMapping(ctx, v, id, expected, update[model.Mapping]{
		first: func(ctx context.Context, tx bun.Tx) (err error) {
			lost, err = s.lockEntry(ctx, tx, v, id)
			return err
		},
		lost: func(context.Context, bun.Tx, *model.Mapping) ([]int64, error) { return lost, nil },
		changes: []model.Change[model.Mapping]{{
			Field: "isActive", Apply: func(m *model.Mapping) { m.IsActive, m.EndedAt = false, &ended },
		}},
		alter: func(_, _ *model.Mapping) []string { return []string{"endedAt"} },
	})
}

// endMappings ends the active mappings whose column of has the id, and returns their
// patients. lost are the accounts that lose access to each of the patients.
func (s *Store) endMappings(ctx context.Context, tx bun.Tx, of string, id int64, now time.Time, lost []int64) (patients []int64, err error) {
	active := tx.NewSelect().Table("mappings").Column("id").Where("? = ? AND is_active", bun.Ident(of), id).Order("id").For("UPDATE")
	ended := tx.NewUpdate().Table("mappings").Set("is_active = FALSE, ended_at = ?, updated_at = now(), version = version + 1", now).
		Where("id = ANY (ARRAY (?))", active).Returning(changedColumns("Mapping"))
	err = tx.NewRaw("WITH changed AS (?)"+fed("Mapping", "?::bigint[]")+" SELECT patient_id FROM changed", ended, idsOrNull(lost)).Scan(ctx, &patients)
	return patients, err
}

func (s *Store) editMapping(ctx context.Context, v *model.Viewer, id int64, expected *int, u update[model.Mapping]) (*model.Mapping, error) {
	u.set = setVersion
	u.check = func(m *model.Mapping) (done bool, err error) {
		if !m.IsActive {
			return false, model.NewFieldError("id", model.CodeDeleted, "This mapping has ended. Assign the doctor again.")
		}
		return false, checkVersion(expected, m.Version)
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Mapping, error) { return edit(ctx, s, v, id, u) })
}
