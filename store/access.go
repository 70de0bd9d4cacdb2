package store

import (
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// This file is the one place that says how a viewer stands to a row. Each rule
// stands twice, as Go and right below as SQL; access_test.go holds the two
// together over every kind of viewer and row. What a relation may see and do
// is not said here but in the schema.

// Care is a doctor's assignment to a patient, as the rules look at it.
type Care struct {
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

func userRules(v sight) []rule {
	return []rule{
		{bit: model.Self, holds: bun.SafeQuery(`"user".id = ?`, v.id)},
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

func doctorRules(v sight) []rule {
	return []rule{
		{bit: model.Self, holds: bun.SafeQuery(`doctor.account_id = ?`, v.id)},
		{bit: model.Owner, holds: bun.SafeQuery(`doctor.created_by = ?`, v.id)},
	}
}

// PatientRelations: who made the record is OWNER, and the account of a
// verified, undeleted doctor entry with an active mapping is ASSIGNED_DOCTOR.
// Only accounts with the role DOCTOR are linked to entries. A mapping has the
// relations of its patient.
func PatientRelations(v *model.Viewer, p *model.Patient, care []Care) model.Relations {
	r := v.Relations()
	if v == nil {
		return r
	}
	if p.CreatedBy == v.UserID {
		r |= model.Owner
	}
	if v.Role == model.RoleDoctor && slices.ContainsFunc(care, func(c Care) bool { return c.gives(v, p) }) {
		r |= model.AssignedDoctor
	}
	return r
}

func (c Care) gives(v *model.Viewer, p *model.Patient) bool {
	return c.Mapping.PatientID == p.ID && c.Mapping.IsActive && c.Mapping.DoctorID == c.Doctor.ID &&
		c.Doctor.IsVerified && c.Doctor.DeletedAt == nil &&
		c.Doctor.AccountID != nil && *c.Doctor.AccountID == v.UserID
}

func patientRules(v sight) []rule {
	rules := []rule{{
		bit:   model.Owner,
		holds: bun.SafeQuery(`patient.created_by = ?`, v.id),
		rows:  bun.SafeQuery(`SELECT id FROM patients WHERE created_by = ?`, v.id),
	}}
	if v.Role == model.RoleDoctor {
		rules = append(rules, rule{
			bit: model.AssignedDoctor,
			holds: bun.SafeQuery(`EXISTS (SELECT FROM mappings AS care
				WHERE care.patient_id = patient.id AND care.is_active AND care.doctor_id = ANY (?))`, entries(v)),
			rows: bun.SafeQuery(`SELECT care.patient_id FROM mappings AS care
				WHERE care.is_active AND care.doctor_id = ANY (?)`, entries(v)),
		})
	}
	return rules
}

// entries are the viewer's verified, undeleted doctor entries: an array, so that
// PostgreSQL looks for them once in a statement and not once for each row.
func entries(v sight) schema.QueryWithArgs {
	return bun.SafeQuery(`ARRAY (SELECT carer.id FROM doctors AS carer
		WHERE carer.account_id = ? AND carer.is_verified AND carer.deleted_at IS NULL)`, v.id)
}

// mappingRules are those of the patient. The mapping itself may be the one that
// assigns the viewer; then no other need be looked for.
func mappingRules(v sight) []rule {
	rules := patientRules(v)
	for i, r := range rules {
		if r.bit == model.AssignedDoctor {
			rules[i].holds = bun.SafeQuery(`(mapping.is_active AND mapping.doctor_id = ANY (?) OR ?)`, entries(v), r.holds)
		}
	}
	return rules
}

// sight is a viewer as a statement speaks of it.
type sight struct {
	*model.Viewer

	// id is the viewer's id, or what stands in its place in a prepared text.
	id any
}

// ofViewer is the viewer of a statement that is written out.
func ofViewer(v *model.Viewer) sight {
	if v == nil {
		return sight{}
	}
	return sight{v, v.UserID}
}

// rule is how one relation follows from the data.
type rule struct {
	bit model.Relations
	// holds is the condition on a row.
	holds schema.QueryWithArgs
	// rows selects the ids of all rows for which it holds: the fast way into a
	// long list when there are several rules.
	rows schema.QueryWithArgs
}

// table is a type of record: its name in the schema, its table and alias in SQL
// and the rules by which a viewer stands to its rows.
type table struct {
	typ, name, alias string
	rules            func(sight) []rule
	// from joins what the rules need; "" when they need only the row.
	from string
	// live is the condition that a row and what it hangs on are not deleted.
	live string
}

func users() table {
	return table{typ: "User", name: "users", alias: `"user"`, rules: userRules, live: "TRUE"}
}

func doctors() table {
	return table{typ: "Doctor", name: "doctors", alias: "doctor", rules: doctorRules, live: "doctor.deleted_at IS NULL"}
}

func patients() table {
	return table{typ: "Patient", name: "patients", alias: "patient", rules: patientRules, live: "patient.deleted_at IS NULL"}
}

func mappings() table {
	return table{
		typ: "Mapping", name: "mappings", alias: "mapping", rules: mappingRules,
		from: "JOIN patients AS patient ON patient.id = mapping.patient_id",
		live: "patient.deleted_at IS NULL",
	}
}

// reach says how a query comes to its rows.
type reach int

const (
	// byScan looks for all rows of the viewer.
	byScan reach = iota
	// byKey has the rows' ids, or their parents', already.
	byKey
)

// evenDeleted, as a filter, is for what stays readable after it was deleted: a
// doctor through its mappings.
const evenDeleted model.DeletedFilter = "EVEN_DELETED"

// seen narrows a query to the rows that exist for the viewer and adds the
// column relations. Every read of whole records begins here.
func (s *Store) seen(q *bun.SelectQuery, t table, v *model.Viewer, by reach, deleted model.DeletedFilter) *bun.SelectQuery {
	q = s.existing(q, t, v, by, deleted).ColumnExpr("?TableColumns")
	if v == nil {
		return q
	}
	return q.ColumnExpr("? AS relations", t.relations(ofViewer(v)))
}

// existing narrows a query to the rows that exist for the viewer.
func (s *Store) existing(q *bun.SelectQuery, t table, v *model.Viewer, by reach, deleted model.DeletedFilter) *bun.SelectQuery {
	if t.from != "" {
		q = q.Join(t.from)
	}
	return where(q, s.exists(t, ofViewer(v), by, deleted))
}

// exists is the conditions under which a row exists for the viewer. No viewer,
// no rows. Every statement that reads or counts records has them.
func (s *Store) exists(t table, v sight, by reach, deleted model.DeletedFilter) []condition {
	admitted := when("?", t.admits(v, s.policy.Types[t.typ].Exists, by))
	live, restorable := bun.Safe(t.live), t.admits(v, s.policy.Types[t.typ].Fields["deletedAt"].Write, byKey)
	switch deleted {
	case evenDeleted:
		return []condition{admitted}
	case model.DeletedInclude:
		return []condition{admitted, when("(? OR ?)", live, restorable)}
	case model.DeletedOnly:
		return []condition{admitted, when("NOT (?) AND ?", live, restorable)}
	default:
		return []condition{admitted, when("?", live)}
	}
}

// readable is the condition that the viewer may read a field of a row which
// exists for it, so that searching and filtering by the field tell nothing.
func (s *Store) readable(t table, v sight, field string) condition {
	rule := s.policy.Types[t.typ]
	if rule.ReadableByAll(field) {
		return when("TRUE")
	}
	return when("?", t.admits(v, rule.Fields[field].Read, byKey))
}

// relations is the SQL of the relations that a viewer has to a row.
func (t table) relations(v sight) schema.QueryWithArgs {
	terms, args := []string{"?"}, []any{int(v.Relations())}
	for _, r := range t.rules(v) {
		terms = append(terms, "CASE WHEN ? THEN ? ELSE 0 END")
		args = append(args, r.holds, int(r.bit))
	}
	return bun.SafeQuery("("+strings.Join(terms, " | ")+")", args...)
}

// admits is the condition that a viewer has one of the mask's relations to a
// row. For long lists over several rules it is a UNION ALL of ids, since an OR
// of conditions cannot use their indexes.
func (t table) admits(v sight, mask model.Relations, by reach) schema.QueryWithArgs {
	if v.Viewer == nil || mask == 0 {
		return bun.SafeQuery("FALSE")
	}
	if v.Relations().Any(mask) {
		return bun.SafeQuery("TRUE")
	}
	var holds, rows []string
	var holdsArgs, rowsArgs []any
	for _, r := range t.rules(v) {
		if r.bit.Any(mask) {
			holds, holdsArgs = append(holds, "?"), append(holdsArgs, r.holds)
			rows, rowsArgs = append(rows, "?"), append(rowsArgs, r.rows)
		}
	}
	switch {
	case len(holds) == 0:
		return bun.SafeQuery("FALSE")
	case len(holds) == 1 || by == byKey || !t.scannable(v):
		return bun.SafeQuery("("+strings.Join(holds, " OR ")+")", holdsArgs...)
	default:
		return bun.SafeQuery("patient.id IN ("+strings.Join(rows, " UNION ALL ")+")", rowsArgs...)
	}
}

func (t table) scannable(v sight) bool {
	return !slices.ContainsFunc(t.rules(v), func(r rule) bool { return r.rows.Query == "" })
}

// checkSearchable refuses a policy under which a search or an order would tell
// about a field that is hidden on a row that can be seen.
func checkSearchable(p *model.Policy) error {
	compared := map[string][]string{
		"Patient": {"name", "email", "phone", "dateOfBirth", "createdAt", "updatedAt"},
		"Doctor":  {"name", "specialization", "licenseNumber", "experienceYears", "consultationFee", "createdAt"},
		"Mapping": {"assignedAt", "updatedAt"},
	}
	for _, typ := range []string{"Patient", "Doctor", "Mapping"} {
		for _, field := range compared[typ] {
			if !p.Types[typ].ReadableByAll(field) {
				return fmt.Errorf("%s.%s is searched or sorted by, so everybody who can see a %s must be able to read it", typ, field, typ)
			}
		}
	}
	return nil
}
