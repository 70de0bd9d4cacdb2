package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// MappingQuery says which mappings, in which order.
type MappingQuery struct {
	Page      model.PageArgs
	PatientID *int64
	DoctorID  *int64
	// IsActive keeps active or ended mappings; nil keeps both.
	IsActive   *bool
	OrderBy    model.MappingOrderField
	Descending bool
}

func (q MappingQuery) sorting() sorting {
	o := sorting{Order: model.Order{List: "mappings", Field: string(q.OrderBy), Key: model.KeyTime, Descending: q.Descending}}
	if q.OrderBy == model.MappingsByUpdatedAt {
		o.column = "mapping.updated_at"
	} else {
		o.column = "mapping.assigned_at"
	}
	return o
}

func (q MappingQuery) conditions() []condition {
	var c []condition
	if q.PatientID != nil {
		c = append(c, when("mapping.patient_id = ?", *q.PatientID))
	}
	if q.DoctorID != nil {
		c = append(c, when("mapping.doctor_id = ?", *q.DoctorID))
	}
	if q.IsActive != nil {
		c = append(c, when(map[bool]string{true: "mapping.is_active", false: "NOT mapping.is_active"}[*q.IsActive]))
	}
	return c
}

func (q MappingQuery) reach() reach {
	if q.PatientID != nil || q.DoctorID != nil {
		return byKey
	}
	return byScan
}

// Mapping returns the mapping with the id, active or ended, or NOT_FOUND.
func (s *Store) Mapping(ctx context.Context, v *model.Viewer, id int64) (*model.Mapping, error) {
	return one[model.Mapping](ctx, s, s.db, mappings(), v, id, "id")
}

// MappingsByIDs returns those of the mappings that exist for the viewer, in no
// order.
func (s *Store) MappingsByIDs(ctx context.Context, v *model.Viewer, ids []int64) ([]*model.Mapping, error) {
	return byIDs[model.Mapping](ctx, s, mappings(), v, ids, model.DeletedExclude)
}

// Mappings returns a page of mappings. It refuses bad page arguments with
// BAD_USER_INPUT and INVALID_CURSOR.
func (s *Store) Mappings(ctx context.Context, v *model.Viewer, f MappingQuery) (*model.List[*model.Mapping], error) {
	return readList[model.Mapping](ctx, s, v, f.query())
}

// CountMappings returns how many mappings the query has on all pages.
func (s *Store) CountMappings(ctx context.Context, v *model.Viewer, f MappingQuery) (int, error) {
	return countList[model.Mapping](ctx, s, v, f.query())
}

func (q MappingQuery) query() query {
	return query{
		table: mappings(), by: q.reach(), deleted: model.DeletedExclude, order: q.sorting(), page: q.Page,
		conditions: q.conditions(),
	}
}

// Side is an end of a mapping.
type Side string

// The ends, by the column that holds them.
const (
	OfPatient Side = "patient_id"
	OfDoctor  Side = "doctor_id"
)

// sorting is that of the mappings of one parent.
func (side Side) sorting() sorting {
	order := MappingQuery{Descending: true}.sorting()
	order.List = "mappings of " + string(side)
	return order
}

func (side Side) parent(m *model.Mapping) int64 {
	if side == OfPatient {
		return m.PatientID
	}
	return m.DoctorID
}

// MappingsOf returns the same page of mappings, the newest first, for each of
// many patients or doctors, in one statement. IsActive is as in MappingQuery.
// A parent without mappings that the viewer can see gets an empty page.
func (s *Store) MappingsOf(ctx context.Context, v *model.Viewer, side Side, parents []int64, args model.PageArgs, isActive *bool) (map[int64]*model.List[*model.Mapping], error) {
	f := MappingQuery{Page: args, IsActive: isActive, Descending: true}
	order := side.sorting()
	page, err := f.Page.Page(order.Order)
	if err != nil {
		return nil, err
	}
	inner := where(s.seen(s.db.NewSelect().Model((*model.Mapping)(nil)), mappings(), v, byKey, model.DeletedExclude), f.conditions())
	inner = order.page(inner.Where("mapping.? = parent.id", bun.Ident(side)), mappings(), page)
	rows := []*model.Mapping{}
	err = s.db.NewRaw("SELECT page.* FROM unnest(?::bigint[]) AS parent (id) CROSS JOIN LATERAL (?) AS page ORDER BY page.assigned_at ?, page.id ?",
		array(parents), inner, order.direction(page), order.direction(page)).Scan(ctx, &rows)
	if err != nil {
		return nil, translate("list mappings of many", err)
	}
	lists := make(map[int64]*model.List[*model.Mapping], len(parents))
	for _, parent := range parents {
		lists[parent] = nil
	}
	grouped := map[int64][]*model.Mapping{}
	for _, m := range rows {
		grouped[side.parent(m)] = append(grouped[side.parent(m)], m)
	}
	for parent := range lists {
		lists[parent] = list(grouped[parent], order, page)
	}
	return lists, nil
}

// CountMappingsOf returns how many mappings MappingsOf has on all pages, for
// each parent.
func (s *Store) CountMappingsOf(ctx context.Context, v *model.Viewer, side Side, parents []int64, isActive *bool) (map[int64]int, error) {
	var rows []struct {
		Parent int64
		Total  int
	}
	q := s.existing(s.db.NewSelect().Model((*model.Mapping)(nil)), mappings(), v, byKey, model.DeletedExclude)
	q = where(q, MappingQuery{IsActive: isActive}.conditions())
	err := q.ColumnExpr("mapping.? AS parent, count(*) AS total", bun.Ident(side)).
		Where("mapping.? = ANY(?::bigint[])", bun.Ident(side), array(parents)).
		GroupExpr("mapping.?", bun.Ident(side)).Scan(ctx, &rows)
	if err != nil {
		return nil, translate("count mappings of many", err)
	}
	totals := make(map[int64]int, len(rows))
	for _, row := range rows {
		totals[row.Parent] = row.Total
	}
	return totals, nil
}

// AssignDoctor makes an active mapping of the pair. It refuses with NOT_FOUND
// for a patient or doctor that does not exist for the viewer, DELETED for one
// that the viewer may restore, FORBIDDEN for a patient that is not the
// viewer's own, and ALREADY_ASSIGNED.
func (s *Store) AssignDoctor(ctx context.Context, v *model.Viewer, m *model.Mapping) (*model.Mapping, error) {
	if v == nil {
		return nil, unauthenticated()
	}
	if err := m.Validate(); err != nil {
		return nil, err
	}
	m.IsActive, m.CreatedBy = true, v.UserID
	err := s.inTx(ctx, "assign doctor", func(ctx context.Context, tx bun.Tx) (err error) {
		patient, patientErr := assignable[model.Patient](ctx, s, tx, patients(), v, m.PatientID, "patientId")
		_, doctorErr := assignable[model.Doctor](ctx, s, tx, doctors(), v, m.DoctorID, "doctorId")
		if err := allFaults(patientErr, doctorErr); err != nil {
			return err
		}
		if !s.policy.Field("Patient", "doctors").CanWrite(patient.Relations) {
			return model.RefuseField("patientId", model.CodeForbidden, "Only the patient's owner may assign a doctor.")
		}
		if _, err := tx.NewInsert().Model(m).Returning("id").Exec(ctx); err != nil {
			return err
		}
		m, err = reread[model.Mapping](ctx, s, tx, mappings(), v, m.ID) // the owner may be the doctor
		return err
	})
	if err != nil {
		return nil, err
	}
	return m, nil
}

// assignable holds a row against deletion until the transaction ends.
func assignable[T any, P owned[T]](ctx context.Context, s *Store, tx bun.Tx, t table, v *model.Viewer, id int64, field string) (P, error) {
	row, err := lock[T, P](ctx, s, tx, t, v, id, field, "SHARE")
	if err == nil && row.Life().DeletedAt != nil {
		return nil, deleted(field)
	}
	return row, err
}

// UpdateMapping applies the changes to an active mapping. It refuses with
// NOT_FOUND, DELETED for an ended one, FORBIDDEN, TOO_LONG and INVALID.
func (s *Store) UpdateMapping(ctx context.Context, v *model.Viewer, id int64, changes []model.Change[model.Mapping]) (*model.Mapping, error) {
	return s.editMapping(ctx, v, id, update[model.Mapping]{changes: changes, validate: (*model.Mapping).Validate})
}

// RemoveMapping ends an active mapping; the pair can be assigned again. It
// refuses with NOT_FOUND, DELETED for an ended one, and FORBIDDEN.
func (s *Store) RemoveMapping(ctx context.Context, v *model.Viewer, id int64) (*model.Mapping, error) {
	ended := model.DateTime{Time: s.now()}
	return s.editMapping(ctx, v, id, update[model.Mapping]{
		changes: []model.Change[model.Mapping]{{
			Field: "isActive", Apply: func(m *model.Mapping) { m.IsActive, m.EndedAt = false, &ended },
		}},
		alter: func(_, _ *model.Mapping) []string { return []string{"endedAt"} },
	})
}

// endMappings ends the active mappings of one patient or doctor.
func (s *Store) endMappings(ctx context.Context, tx bun.Tx, side Side, id int64, now time.Time) error {
	_, err := tx.NewUpdate().Table("mappings").
		Set("is_active = FALSE, ended_at = ?, updated_at = now()", now).
		Where("? = ? AND is_active", bun.Ident(side), id).Exec(ctx)
	return err
}

func (s *Store) editMapping(ctx context.Context, v *model.Viewer, id int64, u update[model.Mapping]) (*model.Mapping, error) {
	var row *model.Mapping
	err := s.inTx(ctx, "update Mapping", func(ctx context.Context, tx bun.Tx) (err error) {
		if row, err = lock[model.Mapping](ctx, s, tx, mappings(), v, id, "id", "UPDATE"); err != nil {
			return err
		}
		if err := s.mayChange(mappings(), row, u); err != nil {
			return err
		}
		if !row.IsActive {
			return model.RefuseField("id", model.CodeDeleted, "This mapping has ended; assign the doctor again.")
		}
		if err := apply(ctx, tx, row, u, touch); err != nil {
			return err
		}
		row, err = reread[model.Mapping](ctx, s, tx, mappings(), v, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}
