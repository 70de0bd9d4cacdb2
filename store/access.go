package store

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
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

// Grants are all grants, and the time at which they are in force.
type Grants struct {
	All []*model.Grant
	Now time.Time
}

// UserRelations returns the relations to an account: the account itself is SELF. For
// another account, a viewer is RELATED who sees a doctor entry with its accounts, or as
// its doctor a live patient, that the account has created. The two accounts of a grant are
// RELATED, too.
func UserRelations(v *model.Viewer, u *model.User, doctors []*model.Doctor, patients []Care, grants Grants) model.Relations {
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
				PatientRelations(v, c.Patient, c.Assignments, Grants{}).Any(model.AssignedDoctor)
		}),
		slices.ContainsFunc(grants.All, func(g *model.Grant) bool { return g.Joins(v.UserID, u.ID) }):
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
	if v.Grants.Any(model.NamedInGrant) {
		related = bun.SafeQuery(`? OR EXISTS (SELECT FROM grants AS g WHERE g.account_id = ? AND g.granter_id = "user".id)
			OR EXISTS (SELECT FROM grants AS g WHERE g.granter_id = ? AND g.account_id = "user".id)`, related, v.ID, v.ID)
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
// record or took it over is OWNER, and the account of a verified, undeleted doctor entry
// with an active mapping is ASSIGNED_DOCTOR if its role is DOCTOR. A grant in force gives
// its relations to the patient, or to all patients of the account that gave it. A mapping
// has the relations of its patient.
func PatientRelations(v *model.Viewer, p *model.Patient, assignments []Assignment, grants Grants) model.Relations {
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
	for _, g := range grants.All {
		if g.AccountID != nil && *g.AccountID == v.UserID && g.InForce(grants.Now) &&
			(g.PatientID != nil && *g.PatientID == p.ID || g.PatientID == nil && g.GranterID == p.CreatedBy) {
			r |= g.Gives()
		}
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
		Range: &query.Range{
			Column: "patient.created_by", Value: bun.SafeQuery(`?::bigint`, v.ID), Gives: bun.SafeQuery(`?`, int(model.Owner)), From: bun.SafeQuery(``),
		},
	}}
	if v.Grants.Any(model.HoldsTeam) {
		rules = append(rules, teamRule(v))
	}
	if v.Grants.Any(model.HoldsOne) {
		own := bun.SafeQuery(`SELECT g.patient_id FROM grants AS g WHERE g.account_id = ? AND g.kind = 'SELF' AND `+session.InForce, v.ID)
		rules = append(rules, query.Rule{Bit: model.Self, Holds: bun.SafeQuery(`patient.id = ANY (ARRAY (?))`, own), Rows: own})
	}
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

// teamRule returns the rule of the members of teams. The grant says which relations its
// level gives. A unique index lets a member have one grant in force of an owner.
func teamRule(v query.ViewerArg) query.Rule {
	grants := bun.SafeQuery(` FROM grants AS g WHERE g.account_id = ? AND g.kind = 'TEAM' AND `+session.InForce, v.ID)
	return query.Rule{
		Bit:   teamRelations,
		Given: bun.SafeQuery(`coalesce((SELECT g.gives? AND g.granter_id = patient.created_by), 0)`, grants),
		Range: &query.Range{
			Column: "patient.created_by", Value: bun.SafeQuery(`g.granter_id`), Gives: bun.SafeQuery(`g.gives`), From: grants,
		},
	}
}

// GrantRelations returns the relations to a grant: the account that gave it is OWNER, and
// the account that has it is SELF.
func GrantRelations(v *model.Viewer, g *model.Grant) model.Relations {
	r := v.Relations()
	if v != nil && g.GranterID == v.UserID {
		r |= model.Owner
	}
	if v != nil && g.AccountID != nil && *g.AccountID == v.UserID {
		r |= model.Self
	}
	return r
}

func grantRules(v query.ViewerArg) []query.Rule {
	return []query.Rule{
		{Bit: model.Owner, Holds: bun.SafeQuery(`"grant".granter_id = ?`, v.ID)},
		{Bit: model.Self, Holds: bun.SafeQuery(`"grant".account_id = ?`, v.ID)},
	}
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
		if r.Rows.Query != "" {
			rules[i].Among = bun.SafeQuery(`mapping.patient_id IN (?)`, r.Rows)
		}
		if r.Bit == model.AssignedDoctor {
			const assigns = `(mapping.is_active AND mapping.doctor_id = ANY (?) OR ?)`
			rules[i].Holds = bun.SafeQuery(assigns, ownEntries(v), r.Holds)
			rules[i].Among = bun.SafeQuery(assigns, ownEntries(v), rules[i].Among)
		}
	}
	slices.Reverse(rules) // the quick comparison comes first
	return rules
}

// patientAudience returns the third form of the rules of patients: a statement of the pairs
// (patient, account) that have a relation of the mask, for an SQL array of patients. It has no
// relations of accounts to all patients. "" means that there are no others in the mask.
func patientAudience(mask model.Relations, patients string) string {
	forms := []struct {
		bits model.Relations
		who  string
	}{
		{model.Owner, `SELECT p.id, p.created_by FROM patients AS p WHERE p.id = ANY ($patients)`},
		{model.AssignedDoctor, `SELECT care.patient_id, carer.account_id FROM mappings AS care
			JOIN doctors AS carer ON carer.id = care.doctor_id JOIN users AS u ON u.id = carer.account_id
			WHERE care.patient_id = ANY ($patients) AND care.is_active AND carer.is_verified AND carer.deleted_at IS NULL AND u.role = 'DOCTOR'`},
		{model.Self, `SELECT g.patient_id, g.account_id FROM grants AS g
			WHERE g.patient_id = ANY ($patients) AND g.account_id IS NOT NULL AND g.kind = 'SELF' AND ` + session.InForce},
		{teamRelations, fmt.Sprintf(`SELECT p.id, g.account_id FROM patients AS p JOIN grants AS g ON g.granter_id = p.created_by
			WHERE p.id = ANY ($patients) AND g.account_id IS NOT NULL AND g.kind = 'TEAM' AND g.gives & %d <> 0 AND `, mask&teamRelations) + session.InForce},
	}
	var parts []string
	for _, form := range forms {
		if form.bits.Any(mask) {
			parts = append(parts, strings.ReplaceAll(form.who, "$patients", patients))
		}
	}
	return strings.Join(parts, " UNION ")
}

const teamRelations = model.Team | model.TeamClinical | model.TeamDesk
