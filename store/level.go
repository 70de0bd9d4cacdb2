package store

import (
	"fmt"
	"reflect"
	"strconv"
	"sync"

	"github.com/caregraph/caregraph/model"
)

// Level is what a nested read takes from one place of an answer, in one
// statement: records of a type, and with each of them those that it names one
// of. It is built once, by asking for columns, and then used by many reads at a
// time.
type Level struct {
	store   *Store
	records []*Record // the first is the level's own, the others are joined to it
	columns []output
	// keyed is set for a level below another one: the first column of a row is
	// the id of the record that it belongs to.
	keyed bool
	// inherits is set when the level's records stand to the viewer as those that
	// they belong to do, so that nobody need ask again.
	inherits bool
	// texts are *levelText by textKey, statements what was written with them.
	texts      sync.Map
	statements keptTexts
}

// output is a column of the level's result.
type output struct {
	record     *Record
	name, cast string
}

// Record is a record in each row of a level.
type Record struct {
	level  *Level
	table  table
	parent *Record // that names it; nil for the level's own
	edge   edge
	// alias is the part of the statement that gives the record out, and prefix
	// stands before its columns there.
	alias, prefix string
	// exports are the columns that the record's part of the statement gives out.
	exports []string
	// standing and place ask for the relations and for the sort key.
	standing, place bool
}

// edge is the way from a record to the one that it names.
type edge struct {
	to func() table
	// from and key are columns: a record's other one is that whose key is its from.
	from, key string
	deleted   model.DeletedFilter
}

var edges = map[string]edge{
	"User.doctorProfile": {doctors, "id", "account_id", model.DeletedExclude},
	"Patient.createdBy":  {users, "created_by", "id", model.DeletedExclude},
	"Doctor.createdBy":   {users, "created_by", "id", model.DeletedExclude},
	"Doctor.account":     {users, "account_id", "id", model.DeletedExclude},
	"Mapping.createdBy":  {users, "created_by", "id", model.DeletedExclude},
	"Mapping.patient":    {patients, "patient_id", "id", model.DeletedExclude},
	"Mapping.doctor":     {doctors, "doctor_id", "id", evenDeleted},
}

// Level returns a level of records of a type of the schema, to be built.
func (s *Store) Level(typ string) (*Level, error) {
	for _, t := range []table{users(), patients(), doctors(), mappings()} {
		if t.typ == typ {
			l := &Level{store: s}
			l.records = []*Record{{level: l, table: t, alias: "page", exports: []string{"id"}}}
			l.Record().ID() // the first column
			return l, nil
		}
	}
	return nil, fmt.Errorf("%s is no type of record", typ)
}

// LevelOf returns a level of the mappings of the records of another level.
func (s *Store) LevelOf(parent *Record) *Level {
	l := &Level{store: s, keyed: true, inherits: parent.table.typ == "Patient"}
	l.records = []*Record{{level: l, table: mappings(), alias: "page", exports: []string{"id"}}}
	return l
}

// Key is the column with the id of the record that a row of a level below
// another one belongs to.
const Key = 0

// Record returns the level's own record.
func (l *Level) Record() *Record { return l.records[0] }

// SortKey returns the column with the record's sort key as text, for cursors.
func (l *Level) SortKey() int {
	l.records[0].place = true
	return l.column(output{l.records[0], "sort_key", ""})
}

// ID returns the column of the record's id, a bigint.
func (r *Record) ID() int { return r.level.column(output{r, "id", ""}) }

// Present returns a column that is null when a record that is named by another
// one does not exist for the viewer, and else is not.
func (r *Record) Present() int {
	if r.inline() {
		return r.parent.ID() // it is there with the one that names it
	}
	return r.ID()
}

// Relations returns the column that says how the viewer stands to the record,
// an integer of the bits of model.Relations.
func (r *Record) Relations() int {
	r.standing = true
	return r.level.column(output{r, "relations", ""})
}

// Column returns the column of a field of the record's model, named as in Go.
// Its type is that of the field; a Decimal comes as a text.
func (r *Record) Column(field string) (int, error) {
	c, known := r.level.store.columns[r.table.typ][field]
	if !known {
		return 0, fmt.Errorf("%s.%s is no column", r.table.typ, field)
	}
	r.export(c.name)
	return r.level.column(output{r, c.name, c.cast}), nil
}

// Join returns the record that a field of the schema names, or false when the
// field names none.
func (r *Record) Join(field string) (*Record, bool) {
	e, known := edges[r.table.typ+"."+field]
	if !known {
		return nil, false
	}
	for _, joined := range r.level.records {
		if joined.parent == r && joined.edge.from == e.from && joined.edge.key == e.key {
			return joined, true
		}
	}
	joined := &Record{level: r.level, table: e.to(), parent: r, edge: e, exports: []string{"id"}}
	if r.has(joined.table) {
		joined.alias, joined.prefix = r.alias, "its_"
	} else {
		joined.alias = "j" + strconv.Itoa(len(r.level.records))
		r.export(e.from)
	}
	r.level.records = append(r.level.records, joined)
	return joined, true
}

// Siblings returns how many records are joined to the own one of the level.
func (r *Record) Siblings() int { return len(r.level.records) - 1 }

// has reports whether the record's own part of the statement reads the named
// record already, and gives out none that the viewer may not see: a mapping's
// part has its patient.
func (r *Record) has(t table) bool {
	types := r.level.store.policy.Types
	return r.parent == nil && !r.level.inherits && r.table.typ == "Mapping" && t.typ == "Patient" &&
		types[r.table.typ].Exists.Within(types[t.typ].Exists)
}

// inline reports whether the record is read by the part of the one that names it.
func (r *Record) inline() bool { return r.prefix != "" }

// ref is a column that the record's part of the statement gives out.
func (r *Record) ref(name string) string { return r.alias + "." + r.prefix + name }

func (r *Record) export(name string) {
	for _, known := range r.exports {
		if known == name {
			return
		}
	}
	r.exports = append(r.exports, name)
}

// column returns the index of a column in the result.
func (l *Level) column(wanted output) int {
	first := 0
	if l.keyed {
		first = 1
	}
	for i, c := range l.columns {
		if c == wanted {
			return first + i
		}
	}
	l.columns = append(l.columns, wanted)
	return first + len(l.columns) - 1
}

// fieldColumns maps the fields of a model, by their Go names, to columns, as
// bun does.
func (s *Store) fieldColumns(row any) map[string]output {
	columns := map[string]output{}
	for _, f := range s.db.Table(reflect.TypeOf(row)).Fields {
		c := output{name: f.Name}
		if f.IndirectType == reflect.TypeFor[model.Decimal]() {
			c.cast = "::text"
		}
		columns[f.GoName] = c
	}
	return columns
}

// selectList is the columns of the level's rows; below another level it follows
// on the key.
func (l *Level) selectList() string {
	list := ""
	for i, c := range l.columns {
		if i > 0 || l.keyed {
			list += ", "
		}
		list += c.record.ref(c.name) + c.cast
	}
	return list
}
