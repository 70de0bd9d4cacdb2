package plan

import (
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// encoding is the state of writing one answer.
type encoding struct {
	args  []map[string]any
	steps []*model.ChangeSet
	loads []*query.Load
	// below has, for each load of a list, its rows by their parent.
	below []runs
	// mutated are the results of mutations.
	mutated []mutated
	now     time.Time
	// session is that of the viewer.
	session string
	out     []byte
	path    []step
	nulls   []Null
	// room is how long out may become before meter must count it; failed is the error of
	// the meter, after which nothing is written.
	room   int
	meter  Meter
	failed error
}

// grow reports whether the answer may become longer.
func (e *encoding) grow() bool {
	if e.failed == nil {
		e.room, e.failed = e.meter.Grow(len(e.out))
	}
	return e.failed == nil
}

// step is a step of a path: the name of a field, or an index.
type step struct {
	name  string
	index int
}

// row is a record in a result.
type row struct {
	rows *pgpipe.Rows
	n    int
}

// value writes the value of a field.
type value interface {
	write(e *encoding, at row)
}

// object writes an object with the selected fields.
type object struct {
	fields []field
	// relations is the column with the viewer's relations to the record; -1 if no field
	// needs them.
	relations int
}

// field is a selected field.
type field struct {
	// key is the name in the answer; text is the name as JSON with a colon.
	key, text string
	// guarded is set if the rule decides who sees the value, and not everyone with the
	// record does.
	guarded bool
	rule    model.FieldPolicy
	// position is the position in the document.
	position *ast.Position
	value    value
}

func newField(f graphql.CollectedField) field {
	return field{key: f.Alias, text: quoted(f.Alias) + ":", position: f.Position}
}

func (o *object) write(e *encoding, at row) {
	if len(e.out) > e.room && !e.grow() {
		return
	}
	relations := model.Relations(0)
	if o.relations >= 0 {
		relations = model.Relations(at.rows.Int(at.n, o.relations)) //nolint:gosec // thirteen bits
	}
	e.out = append(e.out, '{')
	for i := range o.fields {
		f := &o.fields[i]
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(e.out, f.text...)
		if f.guarded && !f.rule.CanRead(relations) {
			e.addNull(Null{Path: append(e.here(), ast.PathName(f.key)), Position: f.position})
			continue
		}
		if c, ok := f.value.(column); ok {
			c.write(e, at) // has no hidden values, so it needs no path
			continue
		}
		e.path = append(e.path, step{name: f.key})
		f.value.write(e, at)
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, '}')
}

func (e *encoding) null() { e.out = append(e.out, "null"...) }

// addNull writes null for a value with an error.
func (e *encoding) addNull(n Null) {
	e.nulls = append(e.nulls, n)
	e.null()
}

// here returns the path of the current value, with room for one step more.
func (e *encoding) here() ast.Path {
	path := make(ast.Path, 0, len(e.path)+1)
	for _, s := range e.path {
		if s.name == "" {
			path = append(path, ast.PathIndex(s.index))
		} else {
			path = append(path, ast.PathName(s.name))
		}
	}
	return path
}

// list writes a list of objects.
func (e *encoding) list(n int, item func(i int)) {
	e.out = append(e.out, '[')
	for i := range n {
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.path = append(e.path, step{index: i})
		item(i)
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, ']')
}

// constant writes a fixed text.
type constant string

func (c constant) write(e *encoding, _ row) { e.out = append(e.out, c...) }

// column writes a column of the row.
type column struct {
	index int
	text  writer
}

func (c column) write(e *encoding, at row) {
	raw, ok := at.rows.Value(at.n, c.index)
	if !ok {
		e.null()
		return
	}
	e.out = c.text(e.out, raw)
}

// age writes the current age for the date of birth in the column.
type age struct{ born int }

func (a age) write(e *encoding, at row) {
	raw, _ := at.rows.Value(at.n, a.born)
	e.out = strconv.AppendInt(e.out, int64(model.DateOf(day(raw)).AgeAt(e.now)), 10)
}

// isCurrent writes whether the session in the column is that of the viewer.
type isCurrent struct{ session int }

func (c isCurrent) write(e *encoding, at row) {
	raw, _ := at.rows.Value(at.n, c.session)
	e.out = strconv.AppendBool(e.out, string(raw) == e.session)
}

// edge writes a record that another one names, or null if it does not exist for the
// viewer.
type edge struct {
	// present is the column that is null in this case.
	present int
	object  *object
}

func (o edge) write(e *encoding, at row) {
	if _, exists := at.rows.Value(at.n, o.present); !exists {
		e.null()
		return
	}
	o.object.write(e, at)
}

// rowsOf returns the rows of a list of one record; parent is the column of the record's
// id.
func (e *encoding) rowsOf(load int, at row, parent int) run {
	if e.below[load].all == nil {
		e.below[load].read(e.loads[load].Rows)
	}
	return e.below[load].of(at.rows.Int64(at.n, parent))
}

// run is rows of a list with the same parent, which follow each other.
type run struct {
	parent   int64
	first, n int
}

// runs are the runs of a list. They usually have the order in which their parents are
// written.
type runs struct {
	all  []run
	next int // after the run of the parent before
	// places has the places of many runs, once they have another order.
	places map[int64]int
}

// few is how many runs are searched without places.
const few = 32

func (r *runs) read(rows *pgpipe.Rows) {
	r.all = make([]run, 0, few)
	for i := range rows.Len() {
		id, last := rows.Int64(i, query.Key), len(r.all)-1
		if last < 0 || r.all[last].parent != id {
			r.all = append(r.all, run{parent: id, first: i})
			last++
		}
		r.all[last].n++
	}
}

// of returns the run of a parent, which is empty if there is none.
func (r *runs) of(parent int64) run {
	at := r.next
	if at >= len(r.all) || r.all[at].parent != parent {
		if at = r.find(parent); at < 0 {
			return run{}
		}
	}
	r.next = at + 1
	return r.all[at]
}

func (r *runs) find(parent int64) int {
	if len(r.all) <= few {
		return slices.IndexFunc(r.all, func(one run) bool { return one.parent == parent })
	}
	if r.places == nil {
		r.places = make(map[int64]int, len(r.all))
		for i, one := range r.all {
			r.places[one.parent] = i
		}
	}
	if at, ok := r.places[parent]; ok {
		return at
	}
	return -1
}

// page is a page of a list.
type page struct {
	rows *pgpipe.Rows
	run
	backwards      bool // the rows have the opposite order
	next, previous bool
	order          model.Order
}

// row returns the number of the i-th row of the page.
func (p page) row(i int) int {
	if p.backwards {
		return p.first + p.n - 1 - i
	}
	return p.first + i
}

// page returns the page of a connection.
func (e *encoding) page(c *connection, at row) page {
	if c.load < 0 {
		return page{}
	}
	load := e.loads[c.load]
	requested := load.Page()
	p := page{rows: load.Rows, run: run{n: load.Rows.Len()}, backwards: requested.Backwards, order: load.Order()}
	if c.parent >= 0 {
		p.run = e.rowsOf(c.load, at, c.parent)
	}
	more := p.n > requested.Limit
	p.n = min(p.n, requested.Limit)
	p.previous, p.next = requested.Sides(more)
	return p
}
