package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// filterDoctors returns the conditions of the arguments of doctors.
func filterDoctors(s query.Scope, args query.Args) (q query.Selection, err error) {
	f := orZero(query.Arg[model.DoctorFilter](args, "filter"))
	if err := errors.Join(checkNumber("minConsultationFee", f.MinConsultationFee), checkNumber("maxConsultationFee", f.MaxConsultationFee),
		checkTime("updatedSince", f.UpdatedSince), query.CheckText("specialization", f.Specialization),
		checkList("ids", f.IDs), checkList("specializations", f.Specializations)); err != nil {
		return q, err
	}
	for _, name := range f.Specializations {
		if err := query.CheckText("specializations", &name); err != nil {
			return q, err
		}
	}
	if q.Conditions, err = s.Searching(args); err != nil {
		return q, err
	}
	if f.Specialization != nil {
		narrow(&q, s, "specialization", new(model.Fold(*f.Specialization)), specializationFold+" = ?")
	}
	narrowTo(&q, s, "specialization", textsOf(f.Specializations, model.Fold), specializationFold+" = ANY (?::text[])")
	narrowTo(&q, s, "id", numbersOf(f.IDs, model.KindDoctor), "doctor.id = ANY (?::bigint[])")
	narrow(&q, s, "updatedAt", f.UpdatedSince, "doctor.updated_at >= ?")
	narrow(&q, s, "experienceYears", f.MinExperienceYears, "doctor.experience_years >= ?::bigint")
	narrow(&q, s, "experienceYears", f.MaxExperienceYears, "doctor.experience_years <= ?::bigint")
	narrow(&q, s, "consultationFee", f.MinConsultationFee, "doctor.consultation_fee >= ?")
	narrow(&q, s, "consultationFee", f.MaxConsultationFee, "doctor.consultation_fee <= ?")
	if f.NotAssignedTo != nil {
		patient := f.NotAssignedTo.Of(model.KindPatient)
		q.Conditions = append(q.Conditions, s.ScopeOf("Patient").Has(patient, "doctors"), query.Where(
			"NOT EXISTS (SELECT FROM mappings AS m WHERE m.patient_id = ? AND m.doctor_id = doctor.id AND m.is_active)", patient))
	}
	narrow(&q, s, "isVerified", f.IsVerified, "doctor.is_verified = ?")
	if f.Mine != nil { // NULL for an entry without an account
		q.Conditions = append(q.Conditions, query.Where("((?) IS TRUE) = ?", s.Admits(model.Owner|model.Self, query.Lookup), *f.Mine))
	}
	q.Deleted, q.Selective = orZero(f.Deleted), len(q.Conditions) > 0
	return q, nil
}

// Specializations returns the specializations of all live entries with the number of
// entries, sorted by name, ignoring case and accents.
func (s *Store) Specializations(ctx context.Context, v *model.Viewer) ([]*model.Specialization, error) {
	rows := []*model.Specialization{}
	q := s.scope("Doctor", v).Narrow(s.reads.db.NewSelect().Model((*model.Doctor)(nil)), query.Scan, model.DeletedExclude)
	err := q.ColumnExpr("min(doctor.specialization) AS name, count(*) AS doctor_count").
		GroupExpr(specializationFold).OrderExpr(specializationFold).Scan(ctx, &rows)
	return rows, s.translate(ctx, "list specializations", err)
}

// CreateDoctor stores a new, unverified entry of the viewer; with isMe it links the
// viewer's account. It returns REQUIRED, INVALID, TOO_LONG, TAKEN (license number;
// account) together with the entry that has the value and, for isMe without the role
// DOCTOR, FORBIDDEN.
func (s *Store) CreateDoctor(ctx context.Context, v *model.Viewer, d *model.Doctor, isMe bool) (*model.Doctor, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	d, err := once(ctx, s, v, func(ctx context.Context) (*model.Doctor, error) { return s.createDoctor(ctx, v, d, isMe) })
	return d, renameField(err, "account", "isMe")
}

func (s *Store) createDoctor(ctx context.Context, v *model.Viewer, d *model.Doctor, isMe bool) (*model.Doctor, error) {
	if isMe && v.Role != model.RoleDoctor {
		return nil, model.NewFieldError("isMe", model.CodeForbidden, "Only an account with the role DOCTOR can be linked to a doctor entry.")
	}
	if err := d.Validate(s.Constraints("Doctor")); err != nil {
		return nil, err
	}
	d.CreatedBy, d.IsVerified, d.AccountID, d.VerifiedName, d.VerifiedLicense = v.UserID, false, nil, nil, nil
	if isMe {
		d.AccountID = &v.UserID
	}
	exactly, err := s.admit(ctx, v, d)
	if err != nil {
		return nil, err
	}
	err = s.inTx(ctx, "create doctor", func(ctx context.Context, tx bun.Tx) error {
		if exactly {
			if err := s.lockQuota(ctx, tx, v, d); err != nil {
				return err
			}
		}
		if err := s.insertIn(ctx, tx, d, d, generated); err != nil {
			return err
		}
		if err := checkReserved(ctx, tx, v, d); err != nil {
			return err
		}
		return s.recordDoctor(ctx, tx, v, &model.Doctor{}, d)
	})
	if err != nil {
		return holder(ctx, s, v, d, err)
	}
	d.Relations = DoctorRelations(v, d)
	return d, nil
}

// checkReserved returns TAKEN if a deleted entry of another account was verified with
// the license number. It is called after the number was written: the unique index has
// then waited for a deletion that runs at the same time.
func checkReserved(ctx context.Context, tx bun.Tx, v *model.Viewer, d *model.Doctor) error {
	_, license := d.Identity()
	reserved, err := tx.NewSelect().Table("doctors").
		Where("verified_license = ? AND deleted_at IS NOT NULL AND id <> ?", license, d.ID).
		Where("account_id <> ? AND account_id IS DISTINCT FROM ?", v.UserID, d.AccountID).Exists(ctx)
	if reserved {
		return model.NewFieldError("licenseNumber", model.CodeTaken, licenseTaken)
	}
	return err
}

// UpdateDoctor applies the changes. Another name, license number or specialization ends
// the verification. It returns NOT_FOUND, FORBIDDEN for each field that the viewer may not
// set, DELETED and VERSION_CONFLICT together with the current record, and the errors of
// CreateDoctor.
func (s *Store) UpdateDoctor(ctx context.Context, v *model.Viewer, id int64, expected *int, changes []model.Change[model.Doctor]) (*model.Doctor, error) {
	return editLive(ctx, s, v, id, expected, update[model.Doctor]{
		changes:  changes,
		validate: func(d *model.Doctor) error { return d.Validate(s.Constraints("Doctor")) },
		alter:    verification,
		after:    s.reservedAndRecorded(v),
	})
}

// verification is what follows from a change of an entry. Verification ends with a
// change of what it covers. The identity that was verified last stays.
func verification(before, after *model.Doctor) []string {
	after.IsVerified = after.IsVerified && (!before.IsVerified || before.SameProfile(after))
	if before.IsVerified || after.IsVerified {
		verified := after
		if !after.IsVerified {
			verified = before
		}
		name, license := verified.Identity()
		after.VerifiedName, after.VerifiedLicense = &name, &license
	}
	return []string{"isVerified", "verifiedName", "verifiedLicense"}
}

// keepVerified writes the identity of entries that version 0.1.0 has verified. Of two
// verified entries with one license number only the first gets it.
func keepVerified(ctx context.Context, tx pgx.Tx, after int64) (last int64, done bool, err error) {
	found, err := tx.Query(ctx, `SELECT id, name, license_number FROM doctors
		WHERE id > $1 AND is_verified AND verified_license IS NULL ORDER BY id LIMIT $2`, after, backfillBatch)
	if err != nil {
		return after, false, err
	}
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (d model.Doctor, err error) {
		return d, row.Scan(&d.ID, &d.Name, &d.LicenseNumber)
	})
	if err != nil || len(rows) == 0 {
		return after, err == nil, err
	}
	for _, d := range rows {
		name, license := d.Identity()
		_, err := tx.Exec(ctx, `UPDATE doctors SET verified_name = $2, verified_license = $3
			WHERE id = $1 AND is_verified AND name = $4 AND license_number = $5 AND NOT EXISTS (SELECT FROM doctors AS other
				WHERE other.verified_license = $3 AND other.is_verified AND other.deleted_at IS NULL AND other.id <> $1)`,
			d.ID, name, license, d.Name, d.LicenseNumber)
		if err != nil {
			return after, false, err
		}
	}
	return rows[len(rows)-1].ID, false, nil
}

// Verification is the result of an administrator's check of an entry.
type Verification struct {
	IsVerified bool
	// Account, if not nil, is the account to link; a pointer to nil unlinks.
	Account **int64
	// LinkCode is the code that the account to link shows, or nil.
	LinkCode *string
	// KeepsMappings says that it is the same person with corrected details.
	KeepsMappings bool
}

// VerifyDoctor stores the result of a check of the expected version. The active mappings
// of the entry end when it loses its account, and when it is verified with another name
// or license number than the last time, unless the check says that it is the same
// person: no one inherits the patients of another. It returns NOT_FOUND (the entry; the
// account), DELETED, FORBIDDEN, VERSION_CONFLICT together with the current record,
// INVALID (an account without the role DOCTOR), INVALID_CODE (an account that the entry
// does not have, without its code) and TAKEN (an account with another entry; the license
// number of another verified entry, in any letter case).
func (s *Store) VerifyDoctor(ctx context.Context, v *model.Viewer, id int64, expected int, check Verification) (*model.Doctor, error) {
	d, err := once(ctx, s, v, func(ctx context.Context) (*model.Doctor, error) { return s.verifyDoctor(ctx, v, id, expected, check) })
	return d, renameField(err, "account", "accountId")
}

func (s *Store) verifyDoctor(ctx context.Context, v *model.Viewer, id int64, expected int, check Verification) (*model.Doctor, error) {
	changes := []model.Change[model.Doctor]{{
		Field: "isVerified", Apply: func(d *model.Doctor) { d.IsVerified = check.IsVerified },
	}}
	var shown *code
	if check.Account != nil {
		var err error
		if shown, err = s.checkDoctorAccount(ctx, v, *check.Account, check.LinkCode); err != nil {
			return nil, err
		}
		changes = append(changes, model.Change[model.Doctor]{
			Field: "account", Apply: func(d *model.Doctor) { d.AccountID = *check.Account },
		})
	}
	another, linked := false, false
	return editVersion(ctx, s, v, id, &expected, update[model.Doctor]{
		changes: changes,
		alter: func(before, after *model.Doctor) []string {
			name, license := after.Identity()
			linked = after.AccountID != nil && (before.AccountID == nil || *after.AccountID != *before.AccountID)
			another = before.AccountID != nil && (after.AccountID == nil || *after.AccountID != *before.AccountID) ||
				after.IsVerified && before.VerifiedLicense != nil && (*before.VerifiedLicense != license || *before.VerifiedName != name)
			return verification(before, after)
		},
		after: func(ctx context.Context, tx bun.Tx, before, d *model.Doctor) error {
			if linked {
				if err := s.useCode(ctx, tx, shown, "linkCode"); err != nil {
					return err
				}
			}
			if another && !check.KeepsMappings {
				if err := s.endMappingsOf(ctx, tx, v, before); err != nil {
					return err
				}
			}
			return s.recordDoctor(ctx, tx, v, before, d)
		},
	})
}

// checkDoctorAccount checks the account to link, and returns the code that it shows, or
// nil if the text is not its code.
func (s *Store) checkDoctorAccount(ctx context.Context, v *model.Viewer, account *int64, text *string) (*code, error) {
	if account == nil {
		return nil, nil //nolint:nilnil // no account is linked
	}
	u, err := s.User(ctx, v, *account)
	if err != nil {
		return nil, renameField(err, "id", "accountId")
	}
	if u.Role != model.RoleDoctor {
		return nil, model.NewFieldError("accountId", model.CodeInvalid, "This account does not have the role DOCTOR.")
	}
	if text == nil {
		return nil, nil //nolint:nilnil // needed only for an account that the entry does not have
	}
	return s.tryCode(ctx, *account, CodeLink, *text)
}

// DeleteDoctor marks the entry deleted: lists omit it, it gets no new mappings, and
// its account loses the relation to assigned patients. Its mappings stay. It returns
// NOT_FOUND, DELETED, FORBIDDEN and VERSION_CONFLICT.
func (s *Store) DeleteDoctor(ctx context.Context, v *model.Viewer, id int64, expected *int) (*model.Doctor, error) {
	return editLive(ctx, s, v, id, expected, update[model.Doctor]{changes: deletedAt[model.Doctor](&model.DateTime{Time: s.now()})})
}

// RestoreDoctor undoes DeleteDoctor. The entry stays verified only if an
// administrator restores it, because an administrator may have deleted a doubtful
// entry. It returns NOT_FOUND, FORBIDDEN, and TAKEN if another live entry has the
// license number or the account now.
func (s *Store) RestoreDoctor(ctx context.Context, v *model.Viewer, id int64) (*model.Doctor, error) {
	return restore(ctx, s, v, id, update[model.Doctor]{
		alter: func(before, after *model.Doctor) []string {
			after.IsVerified = after.IsVerified && after.Relations.Any(model.Admin)
			return verification(before, after)
		},
		after: s.reservedAndRecorded(v),
	})
}
