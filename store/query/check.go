package query

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/caregraph/caregraph/model"
)

// resolve looks up the types and columns that the descriptor names.
func (t *RecordType) resolve() error {
	switch {
	case t.Kind == "":
		return errors.New("it has no kind")
	case t.Rules == nil && t.Parent == nil:
		return errors.New("it has no rules and no parent")
	case t.Root != nil && len(t.Sorts) == 0:
		return fmt.Errorf("%s: there is no order", t.Root.Field)
	case t.Live == "" && t.columns["DeletedAt"].name != "":
		return errors.New("its records can be deleted, but nothing says which are live")
	}
	if t.Parent != nil {
		if err := t.resolveColumn(&t.parent, t.Parent.Type, t.Parent.Column); err != nil {
			return err
		}
		if t.parent.Parent != nil {
			return fmt.Errorf("its parent %s has a parent", t.parent.Name)
		}
		t.parent.isOwner = true
	}
	for i := range t.One {
		e := &t.One[i]
		if err := t.resolveColumn(&e.to, e.To, e.From); err != nil {
			return fmt.Errorf("%s: %w", e.Field, err)
		}
		if !e.to.hasColumn(e.Key) {
			return fmt.Errorf("%s: %s has no column %s", e.Field, e.To, e.Key)
		}
		e.always = e.IncludeDeleted && e.Key == "id" && e.to.rule().Exists.Any(model.SignedIn) &&
			t.table.FieldMap[e.From].StructField.Type.Kind() != reflect.Pointer
	}
	for i := range t.Many {
		l := &t.Many[i]
		if l.of = t.records.byName[l.Of]; l.of == nil {
			return fmt.Errorf("%s: there is no type %s", l.Field, l.Of)
		}
		if !l.of.hasColumn(l.Key) || l.Node != "" && l.of.Edge(l.Node) == nil {
			return fmt.Errorf("%s: %s has no column %s or no edge %s", l.Field, l.Of, l.Key, l.Node)
		}
		if len(l.of.Sorts) == 0 {
			return fmt.Errorf("%s: %s has no order", l.Field, l.Of)
		}
		if err := l.checkNodes(); err != nil {
			return fmt.Errorf("%s: %w", l.Field, err)
		}
	}
	for _, g := range t.Groups {
		if !t.hasColumn(g.Value) {
			return fmt.Errorf("%s: there is no column %s", g.Field, g.Value)
		}
	}
	for _, k := range t.Keys {
		for _, column := range k.From {
			if !t.hasColumn(column) {
				return fmt.Errorf("%s: there is no column %s", k.Column, column)
			}
		}
	}
	return t.checkComparable()
}

// checkNodes returns an error for a list by nodes that has none, or whose rows exist for
// callers who do not see their nodes: search and order would reveal these.
func (l *List) checkNodes() error {
	if !l.ByNode {
		return nil
	}
	node := l.of.Edge(l.Node)
	if node == nil {
		return errors.New("it has no nodes to search and to order by")
	}
	to := l.of.records.byName[node.To]
	if l.of.Parent != nil && l.of.Parent.Type == node.To && to != nil && !l.of.rule().Exists.Within(to.rule().Exists) {
		return fmt.Errorf("its rows exist for some who do not see their %s, which search and order would reveal", node.To)
	}
	return nil
}

// resolveColumn resolves a type and checks the column that refers to it.
func (t *RecordType) resolveColumn(to **RecordType, name, from string) error {
	if *to = t.records.byName[name]; *to == nil {
		return fmt.Errorf("there is no type %s", name)
	}
	if !t.hasColumn(from) {
		return fmt.Errorf("there is no column %s", from)
	}
	return nil
}

func (t *RecordType) hasColumn(column string) bool { return t.table.HasField(column) }

// checkComparable returns an error if a search, an order or a count would reveal a
// hidden field of a visible row.
func (t *RecordType) checkComparable() error {
	all := t.rule().Exists
	for _, field := range t.Searched {
		if err := t.checkReadable(field, all&t.callers()); err != nil {
			return err
		}
	}
	for _, s := range t.Sorts {
		if err := t.checkReadable(s.Field, all); err != nil {
			return err
		}
	}
	for _, g := range t.Groups {
		if err := t.checkReadable(t.fieldOf(g.Value), all); err != nil {
			return err
		}
	}
	return nil
}

// callers returns who may search: the callers of the list of Query, or everyone if there
// is a list below a record that searches its nodes.
func (t *RecordType) callers() model.Relations {
	if t.Root != nil && !t.isSearchedBelow() {
		if callers, limited := t.records.policy.Roots["Query."+t.Root.Field]; limited {
			return callers
		}
	}
	return model.AllRelations
}

func (t *RecordType) isSearchedBelow() bool {
	for _, other := range t.records.types {
		for _, l := range other.Many {
			if rows := t.records.byName[l.Of]; l.ByNode && rows != nil && rows.names(l.Node, t) {
				return true
			}
		}
	}
	return false
}

// names reports whether a field names records of another type.
func (t *RecordType) names(field string, other *RecordType) bool {
	e := t.Edge(field)
	return e != nil && e.To == other.Name
}

func (t *RecordType) checkReadable(field string, by model.Relations) error {
	if by.Within(t.rule().Fields[field].Read) {
		return nil
	}
	return fmt.Errorf("%s.%s is searched, sorted or counted by, so everyone who can list a %s must be able to read it", t.Name, field, t.Name)
}
