package query

import (
	"strings"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// ranges are the rows of rules with a Column, which is the same for all of them.
type ranges struct {
	column string
	keys   schema.QueryWithArgs
}

// hasRanges reports whether the viewer holds grants, so that conditions and lists use the
// ranges of the rules.
func (s Scope) hasRanges() bool {
	return s.viewer.Viewer != nil && s.viewer.Grants.Any(model.HoldsOne|model.HoldsTeam)
}

// split returns the rules that admit by a mask, by whether they have a Column.
func split(rules []Rule, mask model.Relations) (r ranges, others []Rule) {
	var keys []string
	var args []any
	for _, rule := range rules {
		switch {
		case !rule.Bit.Any(mask), rule.Within.Any(mask):
		case rule.Column == "":
			others = append(others, rule)
		default:
			r.column, keys, args = rule.Column, append(keys, "?"), append(args, rule.Keys)
		}
	}
	r.keys = bun.SafeQuery(strings.Join(keys, " UNION ALL "), args...)
	return r, others
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
	texts, args := make([]string, len(rules)), make([]any, len(rules))
	for i, r := range rules {
		texts[i], args[i] = "?", r.Rows
	}
	return bun.SafeQuery(strings.Join(texts, " UNION ALL "), args...)
}

// sources says where a list of several owners finds its rows. An index has the rows of one
// owner in the order of the list, but not those of several. So the list reads the first
// rows of each owner, and those among the other rows, and merges them.
type sources struct {
	// column is that of the owner, keys selects the owners.
	column, keys string
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
	found := &sources{column: ranges.column, keys: s.records.sql(ranges.keys), exists: "TRUE"}
	if rows := rowsOf(others); rows.Query != "" {
		found.others = s.records.sql(bun.SafeQuery("?.id = ANY (ARRAY (?)) AND ? <> ALL (?)",
			bun.Safe(s.owner().Alias), rows, bun.Safe(ranges.column), ranges.array()))
	}
	if conditions := s.Exists(Scan, deleted)[1:]; len(conditions) > 0 { // the first one admits
		found.exists = s.records.where(conditions)
	}
	return found
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
	b.write("(SELECT one.* FROM (", s.keys, ") AS owner (id) CROSS JOIN LATERAL ")
	source(s.column + " = owner.id")
	b.write(" AS one")
	if s.others != "" {
		b.write(" UNION ALL ")
		source(s.others)
	}
	l.writeFirst(b, "place", "id", direction, limit)
	b.write(") AS page")
}

// writeFirst writes the order and the number of rows of a page.
func (*Load) writeFirst(b *textBuilder, column, id, direction string, limit int) {
	b.write(" ORDER BY ", column, " ", direction, ", ", id, " ", direction, " LIMIT ")
	b.writeInt(limit)
}
