package query

import (
	"cmp"
	"reflect"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/model"
)

// Sorting is an order of a list with the SQL of its key.
type Sorting struct {
	model.Order

	Column string
}

// Sorting returns the order in the argument orderBy, or the default one.
func (t *RecordType) Sorting(args Args) Sorting {
	if sort, descending := t.sortBy(args); sort != nil {
		return sort.order(t, t.Table, sort.Enum, descending)
	}
	sort := t.Sorts[0]
	return sort.order(t, t.Table, sort.Enum, sort.Descending)
}

// sortBy returns the sort in the argument orderBy, nil without one.
func (t *RecordType) sortBy(args Args) (sort *Sort, descending bool) {
	orderBy, _ := args["orderBy"].(interface{ By() (string, bool) })
	if v := reflect.ValueOf(orderBy); orderBy == nil || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, false
	}
	name, descending := orderBy.By()
	return find(t.Sorts, func(s Sort) bool { return s.Enum == name }), descending
}

func (s Sort) order(t *RecordType, list, field string, descending bool) Sorting {
	return Sorting{model.Order{List: list, Field: field, Key: s.Key, Descending: descending}, cmp.Or(s.By, t.Alias+"."+s.Column)}
}

// Sorting returns the order of the list of one record: that of its nodes in the argument
// orderBy, or the default one of its rows.
func (l *List) Sorting(args Args) Sorting {
	list := l.of.Table + " of " + l.Key
	if l.ByNode {
		if sort, descending := l.node().sortBy(args); sort != nil {
			return sort.order(l.node(), list, sort.Enum, descending)
		}
	}
	sort := l.of.Sorts[0]
	return sort.order(l.of, list, "", sort.Descending)
}

// Bounds returns the conditions that a row lies within the cursors of a page.
func (o Sorting) Bounds(t *RecordType, p model.Page) []Condition {
	var conditions []Condition
	after, before := ">", "<"
	if o.Descending {
		after, before = before, after
	}
	bound := func(c *model.Cursor, side string) {
		if c != nil {
			conditions = append(conditions, Where("("+o.Column+", "+t.Alias+".id) "+side+" (?::"+string(o.Key)+", ?)", c.Key, c.ID))
		}
	}
	bound(p.After, after)
	bound(p.Before, before)
	return conditions
}

// Direction returns the direction in which the rows of a page are read.
func (o Sorting) Direction(p model.Page) bun.Safe {
	if o.Descending != p.Backwards {
		return "DESC"
	}
	return "ASC"
}
