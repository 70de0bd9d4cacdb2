package store

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
	"github.com/caregraph/caregraph/store/session"
)

// This file finds the accounts that lose access by a change. A statement before the change
// locks what could give them access meanwhile, whether it gives access now or not: otherwise
// a device could get a record that nothing takes from it again. Locks are taken in the order
// account, transfer, patient, doctor entry, mapping, grant; several of one kind by their ids.

// standing returns the accounts whose standing changes as a whole with a change of a doctor
// entry or an account.
func standing(before, after model.Record) (accounts []int64) {
	switch b := before.(type) {
	case *model.Doctor:
		a := after.(*model.Doctor)
		if orZero(b.AccountID) == orZero(a.AccountID) && b.IsVerified == a.IsVerified && (b.DeletedAt == nil) == (a.DeletedAt == nil) {
			return nil
		}
		for _, account := range []*int64{b.AccountID, a.AccountID} {
			if account != nil && !slices.Contains(accounts, *account) {
				accounts = append(accounts, *account)
			}
		}
	case *model.User:
		if a := after.(*model.User); b.Role != a.Role || b.IsActive != a.IsActive {
			accounts = []int64{b.ID}
		}
	}
	return accounts
}

// hasEntry is the account that a doctor entry d gives access to its patients, null for none.
const hasEntry = "CASE WHEN d.is_verified AND d.deleted_at IS NULL THEN d.account_id END"

// lockEntry keeps the entry of a mapping as it is, and returns the account that has access
// by it. It locks nothing for a mapping that does not exist for the viewer.
func (s *Store) lockEntry(ctx context.Context, tx bun.Tx, v *model.Viewer, mapping int64) ([]int64, error) {
	of := s.named(tx, v, (*model.Mapping)(nil), "doctor_id", mapping)
	return accountsOf(ctx, tx.NewSelect().TableExpr("doctors AS d").ColumnExpr(hasEntry).Where("d.id = (?)", of).For("SHARE"))
}

// lockAccount keeps an account that a record names in a column from admitting new members to
// its team.
func (s *Store) lockAccount(ctx context.Context, tx bun.Tx, v *model.Viewer, record model.Record, column string, id int64) error {
	of := s.named(tx, v, record, column, id)
	_, err := accountsOf(ctx, tx.NewSelect().TableExpr("users AS u").ColumnExpr("u.id").Where("u.id = (?)", of).For("SHARE"))
	return err
}

// named selects a column of a record that exists for the viewer.
func (s *Store) named(tx bun.Tx, v *model.Viewer, record model.Record, column string, id int64) *bun.SelectQuery {
	q := s.scope(record.TypeName(), v).Narrow(tx.NewSelect().Model(record), query.Lookup, model.DeletedInclude)
	return q.ColumnExpr("?TableAlias.?", bun.Ident(column)).Where("?TableAlias.id = ?", id)
}

// circle keeps all who see a locked patient as they are, and returns them: the owner, the
// assigned doctors, the owner's team and those with a grant of their own. lockAccount of the
// owner comes before.
func (s *Store) circle(ctx context.Context, tx bun.Tx, p *model.Patient) ([]int64, error) {
	all := []int64{p.CreatedBy}
	for _, q := range []*bun.SelectQuery{
		tx.NewSelect().TableExpr("doctors AS d").ColumnExpr(hasEntry).
			Where("d.id IN (SELECT doctor_id FROM mappings WHERE patient_id = ? AND is_active)", p.ID).OrderExpr("d.id").For("SHARE"),
		tx.NewSelect().TableExpr("grants AS g").ColumnExpr("CASE WHEN "+session.InForce+" THEN g.account_id END").
			Where("g.patient_id = ? AND g.ended_at IS NULL", p.ID).OrderExpr("g.id").For("SHARE"),
		team(tx, p.CreatedBy),
	} {
		accounts, err := accountsOf(ctx, q)
		if err != nil {
			return nil, err
		}
		all = append(all, accounts...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// team selects the members of the team of a locked account.
func team(tx bun.Tx, owner int64) *bun.SelectQuery {
	return tx.NewSelect().TableExpr("grants AS g").ColumnExpr("g.account_id").Where("g.kind = 'TEAM' AND g.granter_id = ?", owner).Where(session.InForce)
}

// accountsOf returns the accounts that a query selects, without nulls, which bun reads as 0.
func accountsOf(ctx context.Context, q *bun.SelectQuery) (accounts []int64, err error) {
	err = q.Scan(ctx, &accounts)
	return slices.DeleteFunc(accounts, func(account int64) bool { return account == 0 }), err
}
