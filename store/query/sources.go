package query

import (
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// ranges are the rows of rules with a Range, whose Column is the same for all of them.
type ranges struct {
	column string
	// keys selects the values of the column, and gives the values with the relations.
	keys, gives schema.QueryWithArgs
	// isPart is set if some rows of the rules are in none of the ranges.
	isPart bool
}

// hasRanges reports whether the viewer holds grants, so that conditions and lists use the
// ranges of the rules.
func (s Scope) hasRanges() bool {
	return s.viewer.Viewer != nil && s.viewer.Grants.Any(model.HoldsOne|model.HoldsTeam)
}

// split returns the rules that admit by a mask, by whether they have a Range.
func split(rules []Rule, mask model.Relations) (r ranges, others []Rule) {
	var keys, gives []schema.QueryWithArgs
	for _, rule := range rules {
		r.isPart = r.isPart || rule.Range != nil && !rule.Bit.Within(mask)
		switch {
		case !rule.Bit.Any(mask):
		case rule.Range == nil:
			others = append(others, rule)
		default:
			from := rule.Range.From
			if !rule.Bit.Within(mask) {
				from = bun.SafeQuery("? AND ? & ? <> 0", from, rule.Range.Gives, int(mask&rule.Bit))
			}
			r.column = rule.Range.Column
			keys = append(keys, bun.SafeQuery("SELECT ??", rule.Range.Value, from))
			gives = append(gives, bun.SafeQuery("SELECT ?, ??", rule.Range.Value, rule.Range.Gives, from))
		}
	}
	r.keys, r.gives = unionAll(keys), unionAll(gives)
	return r, others
}

// unionAll returns the rows of all selects; its Query is "" without one.
func unionAll(selects []schema.QueryWithArgs) schema.QueryWithArgs {
	texts, args := make([]string, len(selects)), make([]any, len(selects))
	for i, s := range selects {
		texts[i], args[i] = "?", s
	}
	return bun.SafeQuery(strings.Join(texts, " UNION ALL "), args...)
}

// array returns the keys as an array, which PostgreSQL computes once per statement.
func (r ranges) array() schema.QueryWithArgs { return bun.SafeQuery("ARRAY (?)", r.keys) }

// admits returns the condition that a row is in a range or has the relation of another
// rule.
func (r ranges) admits(alias string, others []Rule, by AccessPath) schema.QueryWithArgs {
	text, args := "(? = ANY (?)", []any{bun.Safe(r.column), r.array()}
	switch rows := rowsOf(others); {
	case rows.Query == "":
	case by == Scan:
		text, args = text+" OR ?.id = ANY (ARRAY (?))", append(args, bun.Safe(alias), rows)
	default:
		for _, other := range others {
			text, args = text+" OR ?", append(args, other.holds(by))
		}
	}
	return bun.SafeQuery(text+")", args...)
}

// rowsOf returns the ids of the rows of rules; its Query is "" without a rule.
func rowsOf(rules []Rule) schema.QueryWithArgs {
	rows := make([]schema.QueryWithArgs, len(rules))
	for i, r := range rules {
		rows[i] = r.Rows
	}
	return unionAll(rows)
}

// sources says where a list of several owners finds its rows. An index has the rows of one
// owner in the order of the list, but not those of several. So the list reads the first
// rows of each owner, and those among the other rows, and merges them.
type sources struct {
	// column is that of the owner, keys selects the owners, and gives selects them with what
	// their ranges give.
	column, keys, gives string
	// isPart is that of ranges.
	isPart bool
	// others is the condition of rows of no owner; "" if there are none.
	others string
	// exists is the condition that an admitted row exists.
	exists string
}

// sources returns nil for a list with one source, and for viewers without grants: their
// lists have the order of an index, or a UNION of ids.
func (s Scope) sources(deleted model.DeletedFilter) *sources {
	if !s.hasRanges() {
		return nil
	}
	return s.allSources(deleted)
}

// allSources is sources for any viewer. It returns nil if the rules have no ranges.
func (s Scope) allSources(deleted model.DeletedFilter) *sources {
	if s.viewer.Viewer == nil || s.IsWhole() {
		return nil
	}
	ranges, others := split(s.rules(s.viewer), s.rule().Exists)
	if ranges.column == "" {
		return nil
	}
	found := &sources{column: ranges.column, keys: s.records.sql(ranges.keys), gives: s.records.sql(ranges.gives), isPart: ranges.isPart, exists: "TRUE"}
	if rows := rowsOf(others); rows.Query != "" {
		found.others = s.records.sql(bun.SafeQuery("?.id = ANY (ARRAY (?)) AND ? <> ALL (?)",
			bun.Safe(s.owner().Alias), rows, bun.Safe(ranges.column), ranges.array()))
	}
	if conditions := s.Exists(Scan, deleted)[1:]; len(conditions) > 0 { // the first one admits
		found.exists = s.records.where(conditions)
	}
	return found
}

// inSources is Relations in the sources of a list: the owner has what the range gives. No
// row is in two ranges, and without isPart the other rows are in none.
func (s Scope) inSources() schema.QueryWithArgs {
	return s.relations(func(r Rule) bool { return r.Range == nil }, "owner.gives")
}

// sources returns the sources of a list of Query, or nil if it has one.
func (l *Load) sources(v *model.Viewer) *sources {
	if l.parent != nil || !l.isPaged() || l.Path != Scan {
		return nil
	}
	return l.fragments(v).sources
}

// writeSources is writeOwn for a list with several sources.
func (l *Load) writeSources(b *textBuilder, s *sources, exports string, limit int) {
	t := l.node.Record().typ
	direction := string(l.order.Direction(l.page))
	source := func(where string) {
		b.write("(SELECT ", exports, " FROM ", t.Table, " AS ", t.Alias, " ", t.join(), " WHERE ", where, " AND ", s.exists)
		b.and(l.Conditions)
		b.and(l.order.Bounds(t, l.page))
		l.writeFirst(b, l.order.Column, t.Alias+".id", direction, limit)
		b.write(")")
	}
	b.write("(SELECT one.* FROM (", s.gives, ") AS owner (id, gives) CROSS JOIN LATERAL ")
	source(s.column + " = owner.id")
	b.write(" AS one")
	if s.others != "" {
		b.write(" UNION ALL SELECT one.* FROM (SELECT 0) AS owner (gives) CROSS JOIN LATERAL ")
		source(s.others)
		b.write(" AS one")
	}
	l.writeFirst(b, "place", "id", direction, limit)
	b.write(") AS page")
}

// writeFirst writes the order and the number of rows of a page.
func (*Load) writeFirst(b *textBuilder, column, id, direction string, limit int) {
	b.write(" ORDER BY ", column, " ", direction, ", ", id, " ", direction, " LIMIT ")
	b.writeInt(limit)
}
