package store

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"

	"github.com/caregraph/caregraph/model"
)

// sorting is an order and the SQL of its key.
type sorting struct {
	model.Order

	column string
}

// page narrows a query to a page in an order and adds the column sort_key. It
// asks for one row more than the page has, to know whether there is a next one.
func (o sorting) page(q *bun.SelectQuery, t table, p model.Page) *bun.SelectQuery {
	id, key := bun.Safe(t.alias+".id"), bun.Safe(o.column)
	direction := o.direction(p)
	return where(q, o.bounds(t, p)).
		ColumnExpr("(?)::text AS sort_key", key).
		OrderExpr("? ?, ? ?", key, direction, id, direction).
		Limit(int64(p.Limit + 1))
}

// bounds are the conditions that a row lies in a page: by the key of its
// bounds and not by an offset.
func (o sorting) bounds(t table, p model.Page) []condition {
	var conditions []condition
	after, before := ">", "<"
	if o.Descending {
		after, before = before, after
	}
	bound := func(c *model.Cursor, side string) {
		if c != nil {
			conditions = append(conditions, when("("+o.column+", "+t.alias+".id) "+side+" (?::"+string(o.Key)+", ?)", c.Key, c.ID))
		}
	}
	bound(p.After, after)
	bound(p.Before, before)
	return conditions
}

// direction is that in which the rows of a page are read.
func (o sorting) direction(p model.Page) bun.Safe {
	if o.Descending != p.Backwards {
		return "DESC"
	}
	return "ASC"
}

// list puts the rows that page fetched into the list's order.
func list[T model.Listed](rows []T, o sorting, p model.Page) *model.List[T] {
	more := len(rows) > p.Limit
	if more {
		rows = rows[:p.Limit]
	}
	l := &model.List[T]{Rows: rows, HasNext: more, HasPrevious: p.After != nil, Order: o.Order}
	if p.Backwards {
		slices.Reverse(rows)
		l.HasNext, l.HasPrevious = p.Before != nil, more
	}
	return l
}

// search is the condition that the search text of a row holds the term.
func search(t table, term string) condition {
	if term = strings.TrimSpace(term); term == "" {
		return when("TRUE")
	}
	// Escaped after folding, which turns the wide signs U+FF05 and U+FF3C into
	// ones that mean something to LIKE.
	like := t.alias + `.search_text LIKE '%' || regexp_replace(fold(?), '([\\%_])', '\\\1', 'g') || '%'`
	digits := phoneDigits(term)
	if digits == "" {
		return when(like, term)
	}
	return when("("+like+" OR "+like+")", term, digits)
}

// phoneDigits returns the digits of a term that may be part of a phone number
// as people write it, without trunk prefix and country code's plus.
func phoneDigits(term string) string {
	if strings.Trim(term, "+0123456789 -().") != "" {
		return ""
	}
	keepDigits := func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}
	return strings.TrimLeft(strings.Map(keepDigits, term), "0")
}

// query is a list or its count, whatever its records are.
type query struct {
	table   table
	by      reach
	deleted model.DeletedFilter
	order   sorting
	page    model.PageArgs
	// conditions narrow it to what the caller asked for.
	conditions []condition
}

// condition is a part of WHERE. A ? in its text stands for an argument: a
// value, or a piece of SQL.
type condition struct {
	text string
	args []any
}

func when(text string, args ...any) condition { return condition{text, args} }

// where adds conditions to a statement that is written out.
func where(q *bun.SelectQuery, conditions []condition) *bun.SelectQuery {
	for _, c := range conditions {
		q = q.Where(c.text, c.args...)
	}
	return q
}

// readList reads a page. It refuses bad page arguments with BAD_USER_INPUT and
// INVALID_CURSOR.
func readList[T any, P interface {
	*T
	model.Listed
}](ctx context.Context, s *Store, v *model.Viewer, q query) (*model.List[P], error) {
	page, err := q.page.Page(q.order.Order)
	if err != nil {
		return nil, err
	}
	rows := []P{}
	selected := where(s.seen(s.db.NewSelect().Model(&rows), q.table, v, q.by, q.deleted), q.conditions)
	if err := q.order.page(selected, q.table, page).Scan(ctx); err != nil {
		return nil, translate("list "+q.order.List, err)
	}
	return list(rows, q.order, page), nil
}

// countList counts the rows on all pages.
func countList[T any](ctx context.Context, s *Store, v *model.Viewer, q query) (int, error) {
	n, err := where(s.existing(s.db.NewSelect().Model((*T)(nil)), q.table, v, q.by, q.deleted), q.conditions).Count(ctx)
	return int(n), translate("count "+q.order.List, err)
}

// one reads the row with the id. It returns NOT_FOUND for the field when there
// is none that exists for the viewer.
func one[T any](ctx context.Context, s *Store, db bun.IDB, t table, v *model.Viewer, id int64, field string) (*T, error) {
	row := new(T)
	q := s.seen(db.NewSelect().Model(row), t, v, byKey, model.DeletedExclude)
	err := q.Where("?TableAlias.id = ?", id).Scan(ctx)
	if isNoRows(err) {
		return nil, notFound(field)
	}
	return row, translate("read one "+t.typ, err)
}

// byIDs reads the rows with the ids that exist for the viewer, in no order.
func byIDs[T any](ctx context.Context, s *Store, t table, v *model.Viewer, ids []int64, deleted model.DeletedFilter) ([]*T, error) {
	rows := []*T{}
	q := s.seen(s.db.NewSelect().Model(&rows), t, v, byKey, deleted)
	err := q.Where("?TableAlias.id = ANY(?::bigint[])", array(ids)).Scan(ctx)
	return rows, translate("read "+t.typ+" by id", err)
}

// longestTerm is that of an e-mail address, the longest thing that is searched.
const longestTerm = 254

// checkTexts refuses texts that PostgreSQL cannot hold, and those so long that
// they match nothing and only cost time.
func checkTexts(texts map[string]*string) error {
	for field, text := range texts {
		switch {
		case text == nil:
		case strings.ContainsRune(*text, 0):
			return model.RefuseField(field, model.CodeBadUserInput, field+": null characters are not allowed.")
		case utf8.RuneCountInString(*text) > longestTerm:
			return model.RefuseField(field, model.CodeBadUserInput, fmt.Sprintf("%s must have at most %d characters.", field, longestTerm))
		}
	}
	return nil
}

// array is an argument that PostgreSQL reads as an array.
func array(ids []int64) *pgdialect.ArrayValue { return pgdialect.Array(ids) }
