package query

import (
	"fmt"
	"slices"
	"strconv"
	"sync"
)

// Node describes what one place of an answer reads in one statement: records of a
// type with the records that they name. A plan builds it once by asking for columns;
// then concurrent requests use it.
type Node struct {
	records *Records
	joins   []*Join // the first is the node's own record, the others are joined to it
	columns []output
	wide    int // the limits of its wide columns together

	// on is the record of another node that has the list; both are nil at the root. The
	// first column of a row is then the id of that record.
	on   *Join
	list *List
	// inheritsRelations is set if the rows have the relations of the record with the
	// list, so that the statement does not compute them again.
	inheritsRelations bool

	// fragments caches *fragments by fragmentsKey, texts the statements.
	fragments sync.Map
	texts     textCache
}

// output is a column of the node's result.
type output struct {
	join       *Join
	name, cast string
}

// Join is a record in each row of a node.
type Join struct {
	node   *Node
	typ    *RecordType
	parent *Join // that names it; nil for the node's own
	edge   *Edge
	// alias is the part of the statement with the record, and prefix is that of its
	// column names there.
	alias, prefix string
	// exports are the columns of that part.
	exports []string
	// relations and sortKey add the columns of these names.
	relations, sortKey bool
}

// Node returns a new node of records of the type. Its first column is the id.
func (t *RecordType) Node() *Node {
	n := newNode(t)
	n.Record().ID()
	return n
}

func newNode(t *RecordType) *Node {
	n := &Node{records: t.records}
	n.joins = []*Join{{node: n, typ: t, alias: "page", exports: []string{"id"}}}
	return n
}

// List returns a new node of the records that a field lists, or false if the field is
// not a list.
func (j *Join) List(field string) (*Node, bool) {
	list := j.typ.List(field)
	if list == nil {
		return nil, false
	}
	n := newNode(list.of)
	n.on, n.list = j, list
	n.inheritsRelations = list.of.parent == j.typ && list.of.Parent.Column == list.Key && !j.keepsDeleted()
	return n, true
}

// keepsDeleted reports whether the record is there even after it was deleted. The
// rows of its lists are not: they have to ask for it themselves.
func (j *Join) keepsDeleted() bool { return j.edge != nil && j.edge.IncludeDeleted && !j.inline() }

// Key is the column with the id of the record that has the list.
const Key = 0

// Record returns the node's own record.
func (n *Node) Record() *Join { return n.joins[0] }

// Entry returns the record that is the node of the connection.
func (n *Node) Entry() *Join {
	if n.list == nil || n.list.Node == "" {
		return n.Record()
	}
	entry, _ := n.Record().One(n.list.Node)
	return entry
}

// Type returns the type of the record.
func (j *Join) Type() *RecordType { return j.typ }

// SortKey returns the column with the sort key as text, for cursors.
func (n *Node) SortKey() int {
	n.Record().sortKey = true
	return n.column(output{n.Record(), "sort_key", ""})
}

// ID returns the column of the record's id, a bigint.
func (j *Join) ID() int { return j.node.column(output{j, "id", ""}) }

// Present returns a column that is null if and only if the joined record does not
// exist for the viewer.
func (j *Join) Present() int {
	if j.inline() || j.parent != nil && j.edge.always {
		return j.parent.ID() // it exists with the one that names it
	}
	return j.ID()
}

// Relations returns the column with the viewer's relations to the record, the bits of
// model.Relations as an integer.
func (j *Join) Relations() int {
	j.relations = true
	return j.node.column(output{j, "relations", ""})
}

// Column returns the column of a field of the Go struct. Its type is that of the
// field; a Decimal is a text.
func (j *Join) Column(field string) (int, error) {
	c, ok := j.typ.columns[field]
	if !ok {
		return 0, fmt.Errorf("%s.%s is no column", j.typ.Name, field)
	}
	j.export(c.name)
	before := len(j.node.columns)
	index := j.node.column(output{j, c.name, c.cast})
	if len(j.node.columns) > before {
		j.node.wide += c.wide
	}
	return index, nil
}

// One returns the record that a field of the schema names, or false if the field names
// none.
func (j *Join) One(field string) (*Join, bool) {
	e := j.typ.Edge(field)
	if e == nil {
		return nil, false
	}
	for _, joined := range j.node.joins {
		if joined.parent == j && joined.edge.From == e.From && joined.edge.Key == e.Key {
			return joined, true
		}
	}
	joined := &Join{node: j.node, typ: e.to, parent: j, edge: e, exports: []string{"id"}}
	if j.reads(e) {
		joined.alias, joined.prefix = j.alias, "its_"
	} else {
		joined.alias = "j" + strconv.Itoa(len(j.node.joins))
		j.export(e.From)
	}
	j.node.joins = append(j.node.joins, joined)
	return joined, true
}

// Siblings returns the number of records that the node joins.
func (j *Join) Siblings() int { return len(j.node.joins) - 1 }

// reads reports whether the record's part of the statement already reads the named
// record, its parent, and only if it exists for the viewer. The parent may be deleted
// if the list has deleted records.
func (j *Join) reads(e *Edge) bool {
	return j.parent == nil && !j.node.inheritsRelations && j.typ.parent == e.to && e.From == j.typ.Parent.Column && e.Key == "id" &&
		j.typ.rule().Exists.Within(e.to.rule().Exists) && j.typ.rule().Fields["deletedAt"].Write == 0
}

// inline reports whether the part of the naming record reads this one.
func (j *Join) inline() bool { return j.prefix != "" }

// ref returns a column of the record's part of the statement.
func (j *Join) ref(name string) string { return j.alias + "." + j.prefix + name }

func (j *Join) export(name string) {
	if !slices.Contains(j.exports, name) {
		j.exports = append(j.exports, name)
	}
}

// column returns the index of a column in the result.
func (n *Node) column(wanted output) int {
	first := 0
	if n.on != nil {
		first = 1
	}
	for i, c := range n.columns {
		if c == wanted {
			return first + i
		}
	}
	n.columns = append(n.columns, wanted)
	return first + len(n.columns) - 1
}

// path returns the joins from the node's own record to this one, both included, by
// their index in the node.
func (j *Join) path() []int {
	var indexes []int
	for ; j != nil; j = j.parent {
		indexes = append(indexes, slices.Index(j.node.joins, j))
	}
	slices.Reverse(indexes)
	return indexes
}

// narrowerThanParent reports whether the rows exist for fewer viewers than the record
// with the list.
func (n *Node) narrowerThanParent() bool {
	return !n.on.typ.rule().Exists.Within(n.Record().typ.rule().Exists)
}

// needsParentRelations reports whether the statement needs the viewer's relations to
// the record with the list.
func (n *Node) needsParentRelations() bool {
	return n.inheritsRelations && (n.Record().relations || n.narrowerThanParent())
}
