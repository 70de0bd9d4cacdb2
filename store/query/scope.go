package query

import (
	"cmp"
	"slices"
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// Rule is the SQL of one relation, or of several that have one source.
type Rule struct {
	Bit model.Relations
	// Holds is the condition on a row.
	Holds schema.QueryWithArgs
	// Given is instead of Holds if the rule has several relations: those of a row, as an
	// integer. Such a rule has a Range.
	Given schema.QueryWithArgs
	// Rows selects the ids of all rows with the relation, which is fast for a long list
	// with several rules. Its Query is "" if there is none.
	Rows schema.QueryWithArgs
	// Among is Holds for many rows with different parents: it reads once what Holds would
	// read for each. Its Query is "" if Holds does not.
	Among schema.QueryWithArgs
	// Range is set if the rows with the relation are ranges of an index.
	Range *Range
}

// Range says that the rows of a rule are those whose Column has one of the values that
// SELECT Value From returns, each of them once: each value is one range of an index. Gives
// are the relations to its rows. From has a WHERE if Gives is no constant.
type Range struct {
	Column             string
	Value, Gives, From schema.QueryWithArgs
}

// holds returns Holds, or Among if it is for the path.
func (r Rule) holds(by AccessPath) schema.QueryWithArgs {
	if by == Among && r.Among.Query != "" {
		return r.Among
	}
	return r.Holds
}

// ViewerArg is a viewer as an argument of a statement.
type ViewerArg struct {
	*model.Viewer

	// ID is the viewer's id, or viewerPlaceholder.
	ID any
}

// LiteralViewer is for a statement that contains the viewer's id.
func LiteralViewer(v *model.Viewer) ViewerArg {
	if v == nil {
		return ViewerArg{}
	}
	return ViewerArg{v, v.UserID}
}

// viewerPlaceholder is in place of the viewer's id in cached SQL, because all viewers of
// a role share a text. No SQL contains this character.
const viewerPlaceholder = "\x01"

// PlaceholderViewer is for SQL that all viewers of a role share.
func PlaceholderViewer(v *model.Viewer) ViewerArg {
	return ViewerArg{v, bun.Safe(viewerPlaceholder)}
}

// AccessPath is the way in which a query finds its rows.
type AccessPath int

const (
	// Scan searches all rows of the viewer.
	Scan AccessPath = iota
	// Lookup has the ids of the rows or of their parents.
	Lookup
	// Among has the ids of many parents, of which the viewer may see few rows.
	Among
)

// IncludeDeleted is a filter for records that stay readable after their deletion: a
// doctor through its mappings.
const IncludeDeleted model.DeletedFilter = "EVEN_DELETED"

// Scope is the set of records of a type that exist for a viewer. Every statement that
// reads, counts or changes records starts from it.
type Scope struct {
	*RecordType

	viewer ViewerArg
}

// Scope returns the scope of a viewer.
func (t *RecordType) Scope(v ViewerArg) Scope { return Scope{t, v} }

// Exists returns the conditions under which a row exists for the viewer. No
// viewer, no rows.
func (s Scope) Exists(by AccessPath, deleted model.DeletedFilter) []Condition {
	rule := s.rule()
	admitted := Where("?", s.Admits(rule.Exists, by))
	live, restorable := bun.Safe(s.live()), s.Admits(rule.Fields["deletedAt"].Write, Lookup)
	switch deleted {
	case IncludeDeleted:
		return []Condition{admitted}
	case model.DeletedInclude:
		return []Condition{admitted, Where("(? OR ?)", live, restorable)}
	case model.DeletedOnly:
		return []Condition{admitted, Where("NOT (?) AND ?", live, restorable)}
	default:
		return []Condition{admitted, Where("?", live)}
	}
}

// IsWhole reports whether every row exists for the viewer.
func (s Scope) IsWhole() bool {
	return s.viewer.Viewer != nil && s.viewer.Relations().Any(s.rule().Exists)
}

// Readable returns the condition that the viewer may read a field of an existing row,
// so that a filter on the field reveals nothing.
func (s Scope) Readable(field string) Condition {
	rule := s.rule()
	if rule.ReadableByAll(field) {
		return Where("TRUE")
	}
	return Where("?", s.Admits(rule.Fields[field].Read, Lookup))
}

// ScopeOf returns the viewer's scope of another type.
func (s Scope) ScopeOf(typ string) Scope { return s.records.Type(typ).Scope(s.viewer) }

// Has returns the condition, which is the same for all rows of a query, that the live
// record with the id exists for the viewer, who may read a field of it.
func (s Scope) Has(id int64, field string) Condition {
	text, args := s.Alias+".id = ?", []any{id}
	for _, c := range append(s.Exists(Lookup, model.DeletedExclude), s.Readable(field)) {
		text, args = text+" AND ("+c.Text+")", append(args, c.Args...)
	}
	return Condition{"EXISTS (SELECT FROM " + s.Table + " AS " + s.Alias + " " + s.join() + " WHERE " + text + ")", args}
}

// Relations returns the SQL of the viewer's relations to a row.
func (s Scope) Relations() schema.QueryWithArgs {
	return s.relations(func(Rule) bool { return true })
}

// relations is Relations by some of the rules, and by more terms of the same sum.
func (s Scope) relations(counts func(Rule) bool, terms ...string) schema.QueryWithArgs {
	terms, args := append([]string{"?"}, terms...), []any{int(s.viewer.Relations())}
	for _, r := range s.rules(s.viewer) {
		switch {
		case !counts(r):
		case r.Given.Query != "":
			terms, args = append(terms, "?"), append(args, r.Given)
		default:
			terms, args = append(terms, "CASE WHEN ? THEN ? ELSE 0 END"), append(args, r.Holds, int(r.Bit))
		}
	}
	return bun.SafeQuery("("+strings.Join(terms, " | ")+")", args...)
}

// constantRelations returns the viewer's relations to every row that exists, or false if
// they differ: the only rule of the role is then the reason why the row exists.
func (s Scope) constantRelations() (model.Relations, bool) {
	if s.viewer.Viewer == nil || s.IsWhole() {
		return 0, false
	}
	rules := s.rules(s.viewer)
	if len(rules) != 1 || rules[0].Given.Query != "" || !rules[0].Bit.Any(s.rule().Exists) {
		return 0, false
	}
	return s.viewer.Relations() | rules[0].Bit, true
}

// Admits returns the condition that the viewer has one of the mask's relations to a
// row. For a scan with several rules it is a UNION ALL of ids, because an OR of
// conditions cannot use their indexes.
func (s Scope) Admits(mask model.Relations, by AccessPath) schema.QueryWithArgs {
	if s.viewer.Viewer == nil || mask == 0 {
		return bun.SafeQuery("FALSE")
	}
	if s.viewer.Relations().Any(mask) {
		return bun.SafeQuery("TRUE")
	}
	var holds, rows []string
	var holdsArgs, rowsArgs []any
	rules := s.rules(s.viewer)
	if ranges, others := split(rules, mask); s.hasRanges() && ranges.column != "" {
		return ranges.admits(s.owner().Alias, others, by)
	}
	for _, r := range rules {
		if r.Bit.Any(mask) {
			holds, holdsArgs = append(holds, "?"), append(holdsArgs, r.holds(by))
			rows, rowsArgs = append(rows, "?"), append(rowsArgs, r.Rows)
		}
	}
	scannable := !slices.ContainsFunc(rules, func(r Rule) bool { return r.Rows.Query == "" })
	switch {
	case len(holds) == 0:
		return bun.SafeQuery("FALSE")
	case len(holds) == 1 || by != Scan || !scannable:
		return bun.SafeQuery("("+strings.Join(holds, " OR ")+")", holdsArgs...)
	default:
		return bun.SafeQuery(s.owner().Alias+".id IN ("+strings.Join(rows, " UNION ALL ")+")", rowsArgs...)
	}
}

// live returns the condition that a row and its parent are not deleted.
func (t *RecordType) live() string {
	if t.parent != nil {
		return allOf(t.Live, t.parent.Live)
	}
	return allOf(t.Live)
}

// allOf joins SQL conditions by AND and omits empty ones. It is TRUE without any.
func allOf(conditions ...string) string {
	return cmp.Or(strings.Join(slices.DeleteFunc(conditions, func(c string) bool { return c == "" }), " AND "), "TRUE")
}

// join returns the JOIN of the parent, which the rules need; "" without a parent.
func (t *RecordType) join() string {
	if t.parent == nil {
		return ""
	}
	return "JOIN " + t.parent.Table + " AS " + t.parent.Alias + " ON " + t.parent.Alias + ".id = " + t.Alias + "." + t.Parent.Column
}

// Select narrows a query to the rows that exist for the viewer and adds their columns
// and the column relations. Every read of whole records by bun starts here.
func (s Scope) Select(q *bun.SelectQuery, by AccessPath, deleted model.DeletedFilter) *bun.SelectQuery {
	q = s.Narrow(q, by, deleted).ColumnExpr("?TableColumns")
	if s.viewer.Viewer == nil {
		return q
	}
	return q.ColumnExpr("? AS relations", s.Relations())
}

// Narrow narrows a query to the rows that exist for the viewer.
func (s Scope) Narrow(q *bun.SelectQuery, by AccessPath, deleted model.DeletedFilter) *bun.SelectQuery {
	if join := s.join(); join != "" {
		q = q.Join(join)
	}
	return Apply(q, s.Exists(by, deleted))
}
