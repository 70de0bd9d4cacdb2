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
	sort, descending := t.Sorts[0], t.Sorts[0].Descending
	orderBy, _ := args["orderBy"].(interface{ By() (string, bool) })
	if v := reflect.ValueOf(orderBy); orderBy != nil && (v.Kind() != reflect.Pointer || !v.IsNil()) {
		name, down := orderBy.By()
		if named := find(t.Sorts, func(s Sort) bool { return s.Enum == name }); named != nil {
			sort, descending = *named, down
		}
	}
	return sort.order(t, t.Table, sort.Enum, descending)
}

func (s Sort) order(t *RecordType, list, field string, descending bool) Sorting {
	return Sorting{model.Order{List: list, Field: field, Key: s.Key, Descending: descending}, cmp.Or(s.By, t.Alias+"."+s.Column)}
}

// Sorting returns the order of the list of one record.
func (l *List) Sorting() Sorting {
	sort := l.of.Sorts[0]
	return sort.order(l.of, l.of.Table+" of "+l.Key, "", sort.Descending)
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
