package store

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// This file has the reads of the reference engine: one statement of bun for each
// level of an answer. It shares rules and conditions with the fast engine, but no
// text of a statement, so that a test can compare the two.

// Get returns the live record of the type with the id, or NOT_FOUND.
func (s *Store) Get(ctx context.Context, v *model.Viewer, typ string, id int64) (model.Node, error) {
	rows, err := s.GetMany(ctx, v, typ, []int64{id})
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return nil, notFound("id")
	default:
		return rows[0], nil
	}
}

// GetMany returns the live records with the ids that exist for the viewer, unordered.
func (s *Store) GetMany(ctx context.Context, v *model.Viewer, typ string, ids []int64) ([]model.Node, error) {
	t, err := s.recordType(typ)
	if err != nil {
		return nil, err
	}
	return s.byKey(ctx, t, v, "id", ids, model.DeletedExclude)
}

// Related returns the records that an edge of a type names, by the values of the
// edge's key. It omits a key whose record does not exist for the viewer.
func (s *Store) Related(ctx context.Context, v *model.Viewer, typ, field string, keys []int64) (map[int64]model.Node, error) {
	t, err := s.recordType(typ)
	if err != nil {
		return nil, err
	}
	e := t.Edge(field)
	if e == nil {
		return nil, fmt.Errorf("%s.%s names no record", typ, field)
	}
	deleted := model.DeletedExclude
	if e.IncludeDeleted {
		deleted = query.IncludeDeleted
	}
	rows, err := s.byKey(ctx, e.Target(), v, e.Key, keys, deleted)
	found := make(map[int64]model.Node, len(rows))
	for _, row := range rows {
		key, _ := e.Target().ID(row, e.Key)
		found[key] = row
	}
	return found, err
}

// Page returns a page of a list of Query. It returns BAD_USER_INPUT and
// INVALID_CURSOR for bad page arguments and filters.
func (s *Store) Page(ctx context.Context, v *model.Viewer, field string, args query.Args) (*model.RecordPage, error) {
	t, selection, err := s.rootList(v, field, args)
	if err != nil {
		return nil, err
	}
	order := t.Sorting(args)
	page, err := args.Page().Page(order.Order)
	if err != nil {
		return nil, err
	}
	rows, slice := newRows(t)
	q := t.Scope(query.LiteralViewer(v)).Select(s.reads.db.NewSelect().Model(slice), selection.Path, selection.Deleted)
	if err := onPage(query.Apply(q, selection.Conditions), t, order, page).Scan(ctx); err != nil {
		return nil, s.translate(ctx, "list "+field, err)
	}
	if err := s.recordList(ctx, v, t.Root.Event); err != nil {
		return nil, err
	}
	return recordPage(rows(), order.Order, page), nil
}

// Count returns the number of records of a list of Query on all pages.
func (s *Store) Count(ctx context.Context, v *model.Viewer, field string, args query.Args) (int, error) {
	t, selection, err := s.rootList(v, field, args)
	if err != nil {
		return 0, err
	}
	_, slice := newRows(t)
	q := t.Scope(query.LiteralViewer(v)).Narrow(s.reads.db.NewSelect().Model(slice), selection.Path, selection.Deleted)
	n, err := query.Apply(q, selection.Conditions).Count(ctx)
	return int(n), s.translate(ctx, "count "+field, err)
}

// Entry returns the live record of the type with the id as an entry of the list that has
// the field of payloads, nil if it is none.
func (s *Store) Entry(ctx context.Context, v *model.Viewer, typ, field string, id int64, args query.Args) (*model.RecordEntry, error) {
	t, err := s.recordType(typ)
	if err != nil {
		return nil, err
	}
	list, ok := t.EntryList(field)
	if !ok {
		return nil, fmt.Errorf("%s shows no entry of a list of %s", field, typ)
	}
	order, conditions := list.Select(id, args)
	rows, slice := newRows(t)
	q := t.Scope(query.LiteralViewer(v)).Select(s.reads.db.NewSelect().Model(slice), query.Lookup, model.DeletedExclude)
	if err := onPage(query.Apply(q, conditions), t, order, query.EntryPage()).Scan(ctx); err != nil {
		return nil, s.translate(ctx, "read "+field, err)
	}
	page := recordPage(rows(), order.Order, query.EntryPage())
	if len(page.Entries) == 0 {
		return nil, nil //nolint:nilnil // the record is no entry
	}
	return &page.Entries[0], nil
}

// PagesOf returns the same page of a list for each of many records of a type, in one
// statement. A record without visible rows gets an empty page. It returns
// BAD_USER_INPUT and INVALID_CURSOR for bad page arguments.
func (s *Store) PagesOf(ctx context.Context, v *model.Viewer, typ, field string, owners []int64, args query.Args) (map[int64]*model.RecordPage, error) {
	l, err := s.childList(typ, field)
	if err != nil {
		return nil, err
	}
	t, order := l.Rows(), l.Sorting(args)
	page, err := args.Page().Page(order.Order)
	if err != nil {
		return nil, err
	}
	rows, slice := newRows(t)
	inner := t.Scope(query.LiteralViewer(v)).Select(s.reads.db.NewSelect().Model(slice), query.Lookup, model.DeletedExclude)
	if inner, err = onList(inner, l, v, args); err != nil {
		return nil, err
	}
	inner = onPage(inner.Where("?TableAlias.? = parent.id", bun.Ident(l.Key)), t, order, page)
	key, direction := bun.Safe(string(order.Key)), order.Direction(page)
	err = s.reads.db.NewRaw("SELECT page.* FROM unnest(?::bigint[]) AS parent (id) CROSS JOIN LATERAL (?) AS page ORDER BY page.sort_key::? ?, page.id ?",
		array(owners), inner, key, direction, direction).Scan(ctx, slice)
	if err != nil {
		return nil, s.translate(ctx, "list "+field+" of many", err)
	}
	grouped := map[int64][]model.Listed{}
	for _, row := range rows() {
		owner, _ := t.ID(row, l.Key)
		grouped[owner] = append(grouped[owner], row)
	}
	pages := make(map[int64]*model.RecordPage, len(owners))
	for _, owner := range owners {
		pages[owner] = recordPage(grouped[owner], order.Order, page)
	}
	return pages, nil
}

// CountsOf returns the number of records of PagesOf on all pages, for each owner.
func (s *Store) CountsOf(ctx context.Context, v *model.Viewer, typ, field string, owners []int64, args query.Args) (map[int64]int, error) {
	l, err := s.childList(typ, field)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Owner int64
		Total int
	}
	_, slice := newRows(l.Rows())
	q := l.Rows().Scope(query.LiteralViewer(v)).Narrow(s.reads.db.NewSelect().Model(slice), query.Lookup, model.DeletedExclude)
	if q, err = onList(q, l, v, args); err != nil {
		return nil, err
	}
	err = q.ColumnExpr("?TableAlias.? AS owner, count(*) AS total", bun.Ident(l.Key)).
		Where("?TableAlias.? = ANY(?::bigint[])", bun.Ident(l.Key), array(owners)).
		GroupExpr("?TableAlias.?", bun.Ident(l.Key)).Scan(ctx, &rows)
	totals := make(map[int64]int, len(owners))
	for _, owner := range owners {
		totals[owner] = 0
	}
	for _, row := range rows {
		totals[row.Owner] = row.Total
	}
	return totals, s.translate(ctx, "count "+field+" of many", err)
}

func (s *Store) recordType(name string) (*query.RecordType, error) {
	if t := s.records.Type(name); t != nil {
		return t, nil
	}
	return nil, fmt.Errorf("%s is no type of record", name)
}

func (s *Store) rootList(v *model.Viewer, field string, args query.Args) (*query.RecordType, query.Selection, error) {
	t := s.records.Root(field)
	if t == nil {
		return nil, query.Selection{}, fmt.Errorf("the field %s of Query is no list of records", field)
	}
	selection, err := t.Root.Filter(t.Scope(query.LiteralViewer(v)), args)
	return t, selection, err
}

func (s *Store) childList(typ, field string) (*query.List, error) {
	t, err := s.recordType(typ)
	if err != nil {
		return nil, err
	}
	if l := t.List(field); l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("%s.%s is no list of records", typ, field)
}

// byKey reads the rows whose column has one of the keys, unordered.
func (s *Store) byKey(
	ctx context.Context, t *query.RecordType, v *model.Viewer, column string, keys []int64, deleted model.DeletedFilter,
) ([]model.Node, error) {
	rows, slice := newRows(t)
	q := t.Scope(query.LiteralViewer(v)).Select(s.reads.db.NewSelect().Model(slice), query.Lookup, deleted)
	if err := q.Where("?TableAlias.? = ANY(?::bigint[])", bun.Ident(column), array(keys)).Scan(ctx); err != nil {
		return nil, s.translate(ctx, "read "+t.Name, err)
	}
	nodes := make([]model.Node, 0, len(keys))
	for _, row := range rows() {
		nodes = append(nodes, row)
	}
	return nodes, nil
}

// newRows returns a pointer to an empty slice of the type's model, for bun to fill,
// and a function that returns its rows.
func newRows(t *query.RecordType) (rows func() []model.Listed, slice any) {
	filled := reflect.New(reflect.SliceOf(reflect.PointerTo(t.Model)))
	return func() []model.Listed {
		all := make([]model.Listed, filled.Elem().Len())
		for i := range all {
			all[i] = filled.Elem().Index(i).Interface().(model.Listed) // NewRecords has checked it
		}
		return all
	}, filled.Interface()
}

// onList narrows a query to the rows of a list for its arguments.
func onList(q *bun.SelectQuery, l *query.List, v *model.Viewer, args query.Args) (*bun.SelectQuery, error) {
	conditions, err := l.Conditions(args)
	if l.NeedsNode(args) {
		q = q.Join("?", l.NodeJoin(query.LiteralViewer(v)))
	}
	return query.Apply(q, conditions), err
}

// onPage narrows a query to a page in an order and adds the column sort_key. It reads
// one row beyond the page, which shows that there is a next page.
func onPage(q *bun.SelectQuery, t *query.RecordType, o query.Sorting, p model.Page) *bun.SelectQuery {
	id, key, direction := bun.Safe(t.Alias+".id"), bun.Safe(o.Column), o.Direction(p)
	return query.Apply(q, o.Bounds(t, p)).
		ColumnExpr("(?)::text AS sort_key", key).
		OrderExpr("? ?, ? ?", key, direction, id, direction).
		Limit(int64(p.Limit + 1))
}

// recordPage returns the page of the rows that onPage read.
func recordPage(rows []model.Listed, order model.Order, p model.Page) *model.RecordPage {
	more := len(rows) > p.Limit
	if more {
		rows = rows[:p.Limit]
	}
	if p.Backwards {
		slices.Reverse(rows)
	}
	info := &model.PageInfo{}
	info.HasPreviousPage, info.HasNextPage = p.Sides(more)
	page := &model.RecordPage{PageInfo: info, Entries: make([]model.RecordEntry, len(rows))}
	for i, row := range rows {
		page.Entries[i] = model.RecordEntry{Cursor: order.CursorOf(row), Node: row}
	}
	if n := len(rows); n > 0 {
		info.StartCursor, info.EndCursor = &page.Entries[0].Cursor, &page.Entries[n-1].Cursor
	}
	return page
}

// array returns the ids as an array of PostgreSQL.
func array(ids []int64) *pgdialect.ArrayValue { return pgdialect.Array(ids) }
