package store

import (
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// This file computes a viewer's relations to a row, each rule once in Go and once in
// SQL. access_test.go compares the two for every kind of viewer and row. The schema
// says what a relation may see and do.

// Assignment is a mapping with its doctor.
type Assignment struct {
	Mapping *model.Mapping
	Doctor  *model.Doctor
}

// Care is a patient with all its assignments.
type Care struct {
	Patient     *model.Patient
	Assignments []Assignment
}

// UserRelations returns the relations to an account: the account itself is SELF. For
// another account, a viewer is RELATED who sees a doctor entry with its accounts, or as
// its doctor a live patient, that the account has created. No more records name it to
// others: the mappings of a patient are created by its owner, or by an owner before, who
// is hidden then.
func UserRelations(v *model.Viewer, u *model.User, doctors []*model.Doctor, patients []Care) model.Relations {
	r := v.Relations()
	switch {
	case v == nil:
	case u.ID == v.UserID:
		r |= model.Self
	case slices.ContainsFunc(doctors, func(d *model.Doctor) bool {
		return d.CreatedBy == u.ID && DoctorRelations(v, d).Any(model.Self)
	}),
		slices.ContainsFunc(patients, func(c Care) bool {
			return c.Patient.CreatedBy == u.ID && c.Patient.DeletedAt == nil &&
				PatientRelations(v, c.Patient, c.Assignments).Any(model.AssignedDoctor)
		}):
		r |= model.Related
	}
	return r
}

// userRules returns rules that only ask indexes.
func userRules(v query.ViewerArg) []query.Rule {
	related := bun.SafeQuery(`EXISTS (SELECT FROM doctors AS own WHERE own.account_id = ? AND own.created_by = "user".id)`, v.ID)
	if v.Role == model.RoleDoctor {
		related = bun.SafeQuery(`? OR EXISTS (SELECT FROM mappings AS care JOIN patients AS seen ON seen.id = care.patient_id
			WHERE care.is_active AND care.doctor_id = ANY (?) AND seen.deleted_at IS NULL AND seen.created_by = "user".id)`,
			related, ownEntries(v))
	}
	return []query.Rule{
		{Bit: model.Self, Holds: bun.SafeQuery(`"user".id = ?`, v.ID)},
		{Bit: model.Related, Holds: bun.SafeQuery(`("user".id <> ? AND (?))`, v.ID, related)},
	}
}

// DoctorRelations returns the relations to a doctor entry: the linked account is
// SELF. The account that created the entry is OWNER until an account is linked or the
// entry is verified: from then on, the entry stands for a person.
func DoctorRelations(v *model.Viewer, d *model.Doctor) model.Relations {
	r := v.Relations()
	if v != nil && d.AccountID != nil && *d.AccountID == v.UserID {
		r |= model.Self
	}
	if v != nil && d.CreatedBy == v.UserID && d.AccountID == nil && !d.WasVerified() {
		r |= model.Owner
	}
	return r
}

func doctorRules(v query.ViewerArg) []query.Rule {
	return []query.Rule{
		{Bit: model.Self, Holds: bun.SafeQuery(`doctor.account_id = ?`, v.ID)},
		{Bit: model.Owner, Holds: bun.SafeQuery(`(doctor.created_by = ? AND doctor.account_id IS NULL
			AND NOT doctor.is_verified AND doctor.verified_license IS NULL)`, v.ID)},
	}
}

// TransferRelations returns the relations to a transfer: the account that the patients
// come from is OWNER, and the one that gets them is SELF.
func TransferRelations(v *model.Viewer, t *model.Transfer) model.Relations {
	r := v.Relations()
	if v != nil && t.FromID == v.UserID {
		r |= model.Owner
	}
	if v != nil && t.ToID == v.UserID {
		r |= model.Self
	}
	return r
}

func transferRules(v query.ViewerArg) []query.Rule {
	return []query.Rule{
		{Bit: model.Owner, Holds: bun.SafeQuery(`transfer.from_id = ?`, v.ID)},
		{Bit: model.Self, Holds: bun.SafeQuery(`transfer.to_id = ?`, v.ID)},
	}
}

// PatientRelations returns the relations to a patient: the account that created the
// record is OWNER, and the account of a verified, undeleted doctor entry with an
// active mapping is ASSIGNED_DOCTOR if its role is DOCTOR. A mapping has the
// relations of its patient.
func PatientRelations(v *model.Viewer, p *model.Patient, assignments []Assignment) model.Relations {
	r := v.Relations()
	if v == nil {
		return r
	}
	if p.CreatedBy == v.UserID {
		r |= model.Owner
	}
	if v.Role == model.RoleDoctor && slices.ContainsFunc(assignments, func(c Assignment) bool { return c.assigns(v, p) }) {
		r |= model.AssignedDoctor
	}
	return r
}

func (c Assignment) assigns(v *model.Viewer, p *model.Patient) bool {
	return c.Mapping.PatientID == p.ID && c.Mapping.IsActive && c.Mapping.DoctorID == c.Doctor.ID &&
		c.Doctor.IsVerified && c.Doctor.DeletedAt == nil &&
		c.Doctor.AccountID != nil && *c.Doctor.AccountID == v.UserID
}

func patientRules(v query.ViewerArg) []query.Rule {
	rules := []query.Rule{{
		Bit:   model.Owner,
		Holds: bun.SafeQuery(`patient.created_by = ?`, v.ID),
		Rows:  bun.SafeQuery(`SELECT id FROM patients WHERE created_by = ?`, v.ID),
	}}
	if v.Role == model.RoleDoctor {
		rules = append(rules, query.Rule{
			Bit: model.AssignedDoctor,
			Holds: bun.SafeQuery(`EXISTS (SELECT FROM mappings AS care
				WHERE care.patient_id = patient.id AND care.is_active AND care.doctor_id = ANY (?))`, ownEntries(v)),
			Rows: bun.SafeQuery(`SELECT care.patient_id FROM mappings AS care
				WHERE care.is_active AND care.doctor_id = ANY (?)`, ownEntries(v)),
		})
	}
	return rules
}

// ownEntries returns the SQL of the viewer's verified, undeleted doctor entries: an
// array, which PostgreSQL computes once per statement and not once per row.
func ownEntries(v query.ViewerArg) schema.QueryWithArgs {
	return bun.SafeQuery(`ARRAY (SELECT carer.id FROM doctors AS carer
		WHERE carer.account_id = ? AND carer.is_verified AND carer.deleted_at IS NULL)`, v.ID)
}

// mappingRules returns the rules of the patient. If the mapping itself assigns the
// viewer, PostgreSQL needs no lookup. Among many doctors a doctor sees few mappings: those
// of others are left out before PostgreSQL looks up their patients.
func mappingRules(v query.ViewerArg) []query.Rule {
	rules := patientRules(v)
	if v.Role != model.RoleDoctor {
		return rules
	}
	for i, r := range rules {
		rules[i].Among = bun.SafeQuery(`mapping.patient_id IN (?)`, r.Rows)
		if r.Bit == model.AssignedDoctor {
			const assigns = `(mapping.is_active AND mapping.doctor_id = ANY (?) OR ?)`
			rules[i].Holds = bun.SafeQuery(assigns, ownEntries(v), r.Holds)
			rules[i].Among = bun.SafeQuery(assigns, ownEntries(v), rules[i].Among)
		}
	}
	slices.Reverse(rules) // the quick comparison comes first
	return rules
}
