package store

import (
	"context"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// ofPatient is the condition that a grant g in force reaches the patient parent.
const ofPatient = `(g.patient_id = parent.id OR g.patient_id IS NULL AND g.granter_id = parent.created_by) AND ` + session.InForce

const grantColumns = `page.id, page.kind, page.level, page.patient_id, page.granter_id, page.account_id, page.created_at,
	page.accepted_at, page.expires_at, page.ended_at, page.sort_key`

// grantsOf returns the pages of the grants in force on patients.
func (s *Store) grantsOf(ctx context.Context, _ *model.Viewer, patients []query.Owner, args query.Args) ([]any, error) {
	order := model.Order{List: "grants of a patient", Key: model.KeyTime, Descending: true}
	page, err := args.Page().Page(order)
	if err != nil {
		return nil, err
	}
	ids := make([]int64, len(patients))
	for i, p := range patients {
		ids[i] = p.ID.Num
	}
	var rows []struct {
		model.Grant

		Patient int64
	}
	inner := s.reads.db.NewSelect().TableExpr("grants AS g").ColumnExpr("g.*, g.created_at::text AS sort_key").Where(ofPatient).
		OrderExpr("g.created_at DESC, g.id DESC").Limit(int64(page.Limit + 1))
	if after := page.After; after != nil {
		inner = inner.Where("(g.created_at, g.id) < (?::timestamptz, ?)", after.Key, after.ID)
	}
	err = s.reads.db.NewSelect().ColumnExpr("parent.id AS patient").ColumnExpr(grantColumns).TableExpr("patients AS parent").Join("CROSS JOIN LATERAL (?) AS page", inner).
		Where("parent.id = ANY (?::bigint[])", array(ids)).OrderExpr("page.created_at DESC, page.id DESC").Scan(ctx, &rows)
	if err != nil {
		return nil, s.translate(ctx, "list grants", err)
	}
	found := map[int64][]model.Listed{}
	for i := range rows {
		found[rows[i].Patient] = append(found[rows[i].Patient], &rows[i].Grant)
	}
	pages := make([]any, len(patients))
	for i, p := range patients {
		for _, g := range found[p.ID.Num] {
			g.(*model.Grant).Relations = p.Relations
		}
		one := recordPage(found[p.ID.Num], order, page)
		one.Count = func(ctx context.Context) (int, error) { return s.countGrantsOf(ctx, p.ID.Num) }
		pages[i] = model.Connect[model.GrantConnection](one)
	}
	return pages, nil
}

func (s *Store) countGrantsOf(ctx context.Context, patient int64) (int, error) {
	n, err := s.reads.db.NewSelect().TableExpr("grants AS g").Join("JOIN patients AS parent ON parent.id = ?", patient).Where(ofPatient).Count(ctx)
	return int(n), s.translate(ctx, "count grants", err)
}
