package store

import (
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// This file is the one place that says how a viewer stands to a row. Each rule
// stands twice, as Go and right below as SQL; access_test.go holds the two
// together over every kind of viewer and row. What a relation may see and do
// is not said here but in the schema.

// Assignment is a doctor's assignment to a patient, as the rules look at it.
type Assignment struct {
	Mapping *model.Mapping
	Doctor  *model.Doctor
}

// UserRelations: an account is SELF to itself.
func UserRelations(v *model.Viewer, u *model.User) model.Relations {
	r := v.Relations()
	if v != nil && u.ID == v.UserID {
		r |= model.Self
	}
	return r
}

func userRules(v query.ViewerArg) []query.Rule {
	return []query.Rule{
		{Bit: model.Self, Holds: bun.SafeQuery(`"user".id = ?`, v.ID)},
	}
}

// DoctorRelations: the linked account is SELF, and who made the entry is OWNER.
func DoctorRelations(v *model.Viewer, d *model.Doctor) model.Relations {
	r := v.Relations()
	if v != nil && d.AccountID != nil && *d.AccountID == v.UserID {
		r |= model.Self
	}
	if v != nil && d.CreatedBy == v.UserID {
		r |= model.Owner
	}
	return r
}

func doctorRules(v query.ViewerArg) []query.Rule {
	return []query.Rule{
		{Bit: model.Self, Holds: bun.SafeQuery(`doctor.account_id = ?`, v.ID)},
		{Bit: model.Owner, Holds: bun.SafeQuery(`doctor.created_by = ?`, v.ID)},
	}
}

// PatientRelations: who made the record is OWNER, and the account of a
// verified, undeleted doctor entry with an active mapping is ASSIGNED_DOCTOR.
// Only accounts with the role DOCTOR are linked to entries. A mapping has the
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

// ownEntries are the viewer's verified, undeleted doctor entries: an array, so that
// PostgreSQL looks for them once in a statement and not once for each row.
func ownEntries(v query.ViewerArg) schema.QueryWithArgs {
	return bun.SafeQuery(`ARRAY (SELECT carer.id FROM doctors AS carer
		WHERE carer.account_id = ? AND carer.is_verified AND carer.deleted_at IS NULL)`, v.ID)
}

// mappingRules are those of the patient. The mapping itself may be the one that
// assigns the viewer; then no other need be looked for.
func mappingRules(v query.ViewerArg) []query.Rule {
	rules := patientRules(v)
	for i, r := range rules {
		if r.Bit == model.AssignedDoctor {
			rules[i].Holds = bun.SafeQuery(`(mapping.is_active AND mapping.doctor_id = ANY (?) OR ?)`, ownEntries(v), r.Holds)
		}
	}
	return rules
}
