package store

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// DoctorQuery says which doctors, in which order.
type DoctorQuery struct {
	Page               model.PageArgs
	Search             *string
	Specialization     *string
	MinExperienceYears *int
	MaxConsultationFee *model.Decimal
	IsVerified         *bool
	// Mine keeps the entries that the viewer made or is linked to; false keeps
	// the others.
	Mine       *bool
	Deleted    model.DeletedFilter
	OrderBy    model.DoctorOrderField
	Descending bool
}

func (q DoctorQuery) sorting() sorting {
	o := sorting{Order: model.Order{List: "doctors", Field: string(q.OrderBy), Descending: q.Descending}}
	switch q.OrderBy {
	case model.DoctorsByExperienceYears:
		o.column, o.Key = "doctor.experience_years", model.KeyInt
	case model.DoctorsByConsultationFee:
		o.column, o.Key = "doctor.consultation_fee", model.KeyNumeric
	case model.DoctorsByCreatedAt:
		o.column, o.Key = "doctor.created_at", model.KeyTime
	default:
		o.column, o.Key = "doctor.name_key", model.KeyText
	}
	return o
}

func (q DoctorQuery) check() error {
	if q.MaxConsultationFee != nil && !q.MaxConsultationFee.Valid() {
		return model.RefuseField("maxConsultationFee", model.CodeBadUserInput, "maxConsultationFee must be a number.")
	}
	return checkTexts(map[string]*string{"search": q.Search, "specialization": q.Specialization})
}

func (s *Store) doctorConditions(v sight, f DoctorQuery) []condition {
	var c []condition
	if f.Search != nil {
		c = append(c, search(doctors(), *f.Search))
	}
	if f.Specialization != nil {
		c = append(c, when("doctor.specialization_key = fold(?)", *f.Specialization))
	}
	if f.MinExperienceYears != nil {
		c = append(c, when("doctor.experience_years >= ?::bigint", *f.MinExperienceYears))
	}
	if f.MaxConsultationFee != nil {
		c = append(c, when("doctor.consultation_fee <= ?", *f.MaxConsultationFee))
	}
	if f.IsVerified != nil {
		c = append(c, s.readable(doctors(), v, "isVerified"), when("doctor.is_verified = ?", *f.IsVerified))
	}
	if f.Mine != nil {
		mine := doctors().admits(v, model.Owner|model.Self, byKey)
		c = append(c, when("((?) IS TRUE) = ?", mine, *f.Mine)) // an entry linked to nobody compares as NULL
	}
	return c
}

// Doctor returns the doctor entry with the id, or NOT_FOUND.
func (s *Store) Doctor(ctx context.Context, v *model.Viewer, id int64) (*model.Doctor, error) {
	return one[model.Doctor](ctx, s, s.db, doctors(), v, id, "id")
}

// DoctorsByIDs returns those of the doctor entries that exist for the viewer,
// in no order.
func (s *Store) DoctorsByIDs(ctx context.Context, v *model.Viewer, ids []int64) ([]*model.Doctor, error) {
	return byIDs[model.Doctor](ctx, s, doctors(), v, ids, model.DeletedExclude)
}

// DoctorsOfMappings returns the doctor entries with the ids, which came from
// mappings that the viewer has seen, in no order. Deleted entries are among
// them: they stay readable through their mappings.
func (s *Store) DoctorsOfMappings(ctx context.Context, v *model.Viewer, ids []int64) ([]*model.Doctor, error) {
	return byIDs[model.Doctor](ctx, s, doctors(), v, ids, evenDeleted)
}

// DoctorsOfAccounts returns the live entries linked to the accounts, in no
// order.
func (s *Store) DoctorsOfAccounts(ctx context.Context, v *model.Viewer, accounts []int64) ([]*model.Doctor, error) {
	rows := []*model.Doctor{}
	q := s.seen(s.db.NewSelect().Model(&rows), doctors(), v, byKey, model.DeletedExclude)
	err := q.Where("doctor.account_id = ANY(?::bigint[])", array(accounts)).Scan(ctx)
	return rows, translate("read doctors of accounts", err)
}

// Doctors returns a page of doctor entries. It refuses bad page arguments and
// filters with BAD_USER_INPUT and INVALID_CURSOR.
func (s *Store) Doctors(ctx context.Context, v *model.Viewer, f DoctorQuery) (*model.List[*model.Doctor], error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	return readList[model.Doctor](ctx, s, v, s.doctorQuery(ofViewer(v), f))
}

// CountDoctors returns how many doctor entries the query has on all pages.
func (s *Store) CountDoctors(ctx context.Context, v *model.Viewer, f DoctorQuery) (int, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	return countList[model.Doctor](ctx, s, v, s.doctorQuery(ofViewer(v), f))
}

func (s *Store) doctorQuery(v sight, f DoctorQuery) query {
	return query{
		table: doctors(), by: byScan, deleted: f.Deleted, order: f.sorting(), page: f.Page,
		conditions: s.doctorConditions(v, f),
	}
}

// Specializations returns the specializations of all live entries by name,
// without regard to case and accents, with the number of entries.
func (s *Store) Specializations(ctx context.Context, v *model.Viewer) ([]*model.Specialization, error) {
	rows := []*model.Specialization{}
	q := s.existing(s.db.NewSelect().Model((*model.Doctor)(nil)), doctors(), v, byScan, model.DeletedExclude)
	err := q.ColumnExpr("min(doctor.specialization) AS name, count(*) AS doctor_count").
		GroupExpr("doctor.specialization_key").OrderExpr("doctor.specialization_key").Scan(ctx, &rows)
	return rows, translate("list specializations", err)
}

// CreateDoctor stores a new, unverified entry of the viewer's; with isMe it is
// linked to the viewer's account. It refuses with REQUIRED, INVALID, TOO_LONG,
// TAKEN (license number; account) and, for isMe on an account that is not a
// doctor's, FORBIDDEN.
func (s *Store) CreateDoctor(ctx context.Context, v *model.Viewer, d *model.Doctor, isMe bool) (*model.Doctor, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	if isMe && v.Role != model.RoleDoctor {
		return nil, model.RefuseField("isMe", model.CodeForbidden, "Only an account with the role DOCTOR can be a doctor entry.")
	}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	d.CreatedBy, d.IsVerified, d.AccountID = v.UserID, false, nil
	if isMe {
		d.AccountID = &v.UserID
	}
	made, err := s.insert(ctx, d)
	if err != nil {
		return nil, renameField(translate("create doctor", err), "account", "isMe")
	}
	d.ID, d.CreatedAt, d.UpdatedAt, d.Version = made.id, made.createdAt, made.updatedAt, made.version
	d.Relations = DoctorRelations(v, d)
	return d, nil
}

// UpdateDoctor applies the changes; a changed license number ends
// verification. It refuses with NOT_FOUND, DELETED, FORBIDDEN for each field
// the viewer may not set, VERSION_CONFLICT together with the present record,
// and whatever CreateDoctor refuses.
func (s *Store) UpdateDoctor(ctx context.Context, v *model.Viewer, id int64, expected *int, changes []model.Change[model.Doctor]) (*model.Doctor, error) {
	return edit(ctx, s, doctors(), v, id, expected, update[model.Doctor]{
		changes:  changes,
		validate: (*model.Doctor).Validate,
		alter: func(before, after *model.Doctor) []string {
			if before.LicenseNumber == after.LicenseNumber {
				return nil
			}
			after.IsVerified = false
			return []string{"isVerified"}
		},
	})
}

// VerifyDoctor applies an administrator's word on an entry: whether it is
// verified and, if account is not nil, which account it is linked to (nil
// within it: none). Taking the entry away from an account ends the entry's
// active mappings, so that nobody inherits the trust in somebody else. It
// refuses with NOT_FOUND (the entry; the account), DELETED, FORBIDDEN,
// VERSION_CONFLICT, INVALID (an account without the role DOCTOR) and TAKEN (an
// account with another entry).
func (s *Store) VerifyDoctor(ctx context.Context, v *model.Viewer, id int64, expected *int, verified bool, account **int64) (*model.Doctor, error) {
	changes := []model.Change[model.Doctor]{{
		Field: "isVerified", Apply: func(d *model.Doctor) { d.IsVerified = verified },
	}}
	if account != nil {
		if err := s.checkDoctorAccount(ctx, v, *account); err != nil {
			return nil, err
		}
		changes = append(changes, model.Change[model.Doctor]{
			Field: "account", Apply: func(d *model.Doctor) { d.AccountID = *account },
		})
	}
	relinked := false
	d, err := edit(ctx, s, doctors(), v, id, expected, update[model.Doctor]{
		changes: changes,
		alter: func(before, after *model.Doctor) []string {
			relinked = before.AccountID != nil && (after.AccountID == nil || *after.AccountID != *before.AccountID)
			return nil
		},
		after: func(ctx context.Context, tx bun.Tx, d *model.Doctor) error {
			if !relinked {
				return nil
			}
			return s.endMappings(ctx, tx, OfDoctor, d.ID, s.now())
		},
	})
	return d, renameField(err, "account", "accountId")
}

func (s *Store) checkDoctorAccount(ctx context.Context, v *model.Viewer, account *int64) error {
	if account == nil {
		return nil
	}
	u, err := one[model.User](ctx, s, s.db, users(), v, *account, "accountId")
	if err != nil {
		return err
	}
	if u.Role != model.RoleDoctor {
		return model.RefuseField("accountId", model.CodeInvalid, "This account does not have the role DOCTOR.")
	}
	return nil
}

// DeleteDoctor marks the entry deleted: it leaves lists, gets no new mapping
// and its account loses the relation to assigned patients; no mapping is lost.
// It refuses with NOT_FOUND, DELETED, FORBIDDEN and VERSION_CONFLICT.
func (s *Store) DeleteDoctor(ctx context.Context, v *model.Viewer, id int64, expected *int) (*model.Doctor, error) {
	return edit(ctx, s, doctors(), v, id, expected, update[model.Doctor]{changes: deletion[model.Doctor](s.now())})
}

// RestoreDoctor undoes DeleteDoctor. Only an administrator's restoring keeps the
// entry verified, since a deletion may have been an administrator's answer to a
// doubt. It refuses with NOT_FOUND and FORBIDDEN,
// and with TAKEN when another live entry has the license number or the account
// by now.
func (s *Store) RestoreDoctor(ctx context.Context, v *model.Viewer, id int64) (*model.Doctor, error) {
	return edit(ctx, s, doctors(), v, id, nil, update[model.Doctor]{
		changes: restoration[model.Doctor](), restores: true,
		alter: func(_, after *model.Doctor) []string {
			if after.Relations.Any(model.Admin) {
				return nil
			}
			after.IsVerified = false
			return []string{"isVerified"}
		},
	})
}
