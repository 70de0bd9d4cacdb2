package store

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// filterPatients returns the conditions of the arguments of patients.
func filterPatients(s query.Scope, args query.Args) (q query.Selection, err error) {
	f := orZero(query.Arg[model.PatientFilter](args, "filter"))
	if err := errors.Join(checkDate("bornFrom", f.BornFrom), checkDate("bornTo", f.BornTo), checkTime("updatedSince", f.UpdatedSince),
		checkList("ids", f.IDs), checkList("genders", f.Genders), checkList("bloodGroups", f.BloodGroups)); err != nil {
		return q, err
	}
	if q.Conditions, err = s.Searching(args); err != nil {
		return q, err
	}
	narrow(&q, s, "gender", f.Gender, "patient.gender = ?")
	narrowTo(&q, s, "gender", textsOf(f.Genders, textOf), "patient.gender = ANY (?::text[])")
	narrow(&q, s, "bloodGroup", f.BloodGroup, "patient.blood_group = ?")
	narrowTo(&q, s, "bloodGroup", textsOf(f.BloodGroups, textOf), "patient.blood_group = ANY (?::text[])")
	narrowTo(&q, s, "id", numbersOf(f.IDs, model.KindPatient), "patient.id = ANY (?::bigint[])")
	narrow(&q, s, "updatedAt", f.UpdatedSince, "patient.updated_at >= ?")
	narrow(&q, s, "dateOfBirth", f.BornFrom, "patient.date_of_birth >= ?")
	narrow(&q, s, "dateOfBirth", f.BornTo, "patient.date_of_birth <= ?")
	if f.DoctorID != nil {
		q.Conditions = append(q.Conditions, s.Readable("doctors"), query.Where(
			"EXISTS (SELECT FROM mappings AS m WHERE m.patient_id = patient.id AND m.doctor_id = ? AND m.is_active)", f.DoctorID.Of(model.KindDoctor)))
	}
	if f.HasDoctor != nil {
		q.Conditions = append(q.Conditions, s.Readable("doctors"), query.Where(
			not(!*f.HasDoctor)+"EXISTS (SELECT FROM mappings AS m WHERE m.patient_id = patient.id AND m.is_active)"))
	}
	if f.Mine != nil {
		q.Conditions = append(q.Conditions, query.Where(not(!*f.Mine)+"(?)", s.Admits(model.Owner, query.Lookup)))
	}
	if f.IDs != nil {
		q.Path = query.Lookup
	}
	q.Deleted, q.Selective = orZero(f.Deleted), len(q.Conditions) > 0
	if f.OwnerID != nil { // the best plan is the same for all owners
		q.Conditions = append(q.Conditions, query.Where("patient.created_by = ?", f.OwnerID.Of(model.KindUser)))
	}
	return q, nil
}

// CreatePatient stores a new patient of the viewer. It returns REQUIRED, INVALID,
// TOO_LONG, and TAKEN for an e-mail address or a record number of another live
// patient of the same owner, with that patient. LIMIT_EXCEEDED and RATE_LIMITED are for
// the quotas.
func (s *Store) CreatePatient(ctx context.Context, v *model.Viewer, p *model.Patient) (*model.Patient, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Patient, error) {
		if err := p.Validate(s.Constraints("Patient"), s.now()); err != nil {
			return nil, err
		}
		p.CreatedBy = v.UserID
		if err := s.create(ctx, v, p); err != nil {
			return holder(ctx, s, v, p, s.translate(ctx, "create patient", err))
		}
		p.Relations = PatientRelations(v, p, nil, Grants{})
		return p, nil
	})
}

// CreateTeamPatient stores a new patient of an owner in whose team the viewer keeps the
// records. It returns NOT_FOUND for another owner, FORBIDDEN for another place in the team,
// and the errors of CreatePatient, with the quotas of the owner.
func (s *Store) CreateTeamPatient(ctx context.Context, v *model.Viewer, owner int64, p *model.Patient) (*model.Patient, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	if owner == v.UserID {
		return s.CreatePatient(ctx, v, p)
	}
	return once(ctx, s, v, func(ctx context.Context) (*model.Patient, error) { return s.createTeamPatient(ctx, v, owner, p) })
}

func (s *Store) createTeamPatient(ctx context.Context, v *model.Viewer, owner int64, p *model.Patient) (*model.Patient, error) {
	if err := p.Validate(s.Constraints("Patient"), s.now()); err != nil {
		return nil, err
	}
	p.CreatedBy = owner
	err := s.inTx(ctx, "create patient", func(ctx context.Context, tx bun.Tx) error {
		gives, err := s.lockTeam(ctx, tx, v, owner)
		if err != nil {
			return err
		}
		p.Relations = v.Relations() | gives
		payer := &model.Viewer{UserID: owner, Role: v.Role}
		exactly, err := s.admit(ctx, payer, p)
		if err != nil {
			return err
		}
		if exactly {
			if err := s.lockQuota(ctx, tx, payer, p); err != nil {
				return err
			}
		}
		return s.insertIn(ctx, tx, p, p, generated)
	})
	if err != nil {
		return holder(ctx, s, v, p, err)
	}
	return p, nil
}

// UpdatePatient applies the changes. It returns NOT_FOUND, FORBIDDEN for each field that
// the viewer may not set, DELETED and VERSION_CONFLICT together with the current record,
// and the errors of CreatePatient.
func (s *Store) UpdatePatient(ctx context.Context, v *model.Viewer, id int64, expected *int, changes []model.Change[model.Patient]) (*model.Patient, error) {
	return editLive(ctx, s, v, id, expected, update[model.Patient]{
		changes:  changes,
		validate: func(p *model.Patient) error { return p.Validate(s.Constraints("Patient"), s.now()) },
	})
}

// DeletePatient marks the patient deleted and ends its active mappings. It returns
// NOT_FOUND, DELETED, FORBIDDEN and VERSION_CONFLICT.
func (s *Store) DeletePatient(ctx context.Context, v *model.Viewer, id int64, expected *int) (*model.Patient, error) {
	now := s.now()
	return editLive(ctx, s, v, id, expected, update[model.Patient]{
		changes: deletedAt[model.Patient](&model.DateTime{Time: now}),
		first: func(ctx context.Context, tx bun.Tx) error {
			return s.lockAccount(ctx, tx, v, (*model.Patient)(nil), "created_by", id)
		},
		lost: s.circle,
		after: func(ctx context.Context, tx bun.Tx, _, p *model.Patient) error {
			_, err := s.endMappings(ctx, tx, "patient_id", p.ID, now, nil) // circle has named the accounts
			return err
		},
	})
}

// RestorePatient undoes DeletePatient, except for the mappings, which stay ended. It
// returns NOT_FOUND, FORBIDDEN, and TAKEN if another live patient of the owner has
// the e-mail address or the record number now.
func (s *Store) RestorePatient(ctx context.Context, v *model.Viewer, id int64) (*model.Patient, error) {
	return restore(ctx, s, v, id, update[model.Patient]{})
}
