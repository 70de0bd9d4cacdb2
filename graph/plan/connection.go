package plan

import (
	"strconv"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// connection is a page of a list (Relay Cursor Connections, 4).
type connection struct {
	// load and count are indexes of the plan's loads; -1 if no field needs them.
	load, count int
	// parent is the column with the id of the record that has the list; -1 at the root.
	parent int
	// present is the column that is null if an entry is omitted because its node does
	// not exist for the viewer; -1 if entries always exist.
	present int
	// needsNextRow is set if a field needs the row beyond the page.
	needsNextRow bool
	// sortKey and id are the columns of a cursor.
	sortKey, id int
	fields      []pageField
}

// pageField is a selected field of a connection, its page info or an edge.
type pageField struct {
	key, text string
	value     pageValue
}

// pageValue writes the value of a pageField.
type pageValue interface {
	write(e *encoding, c *connection, p page, at row)
}

func (c *connection) write(e *encoding, at row) {
	c.writeFields(e, c.fields, e.page(c, at), at)
}

func (c *connection) writeFields(e *encoding, fields []pageField, p page, at row) {
	e.out = append(e.out, '{')
	for i := range fields {
		f := &fields[i]
		if i > 0 {
			e.out = append(e.out, ',')
		}
		e.out = append(e.out, f.text...)
		e.path = append(e.path, step{name: f.key})
		f.value.write(e, c, p, at)
		e.path = e.path[:len(e.path)-1]
	}
	e.out = append(e.out, '}')
}

// entries writes a list with an item for each entry of the page.
func (c *connection) entries(e *encoding, p page, entry func(at row)) {
	written := 0
	e.out = append(e.out, '[')
	for i := range p.n {
		at := row{p.rows, p.row(i)}
		if c.present >= 0 {
			if _, exists := p.rows.Value(at.n, c.present); !exists {
				continue
			}
		}
		if written > 0 {
			e.out = append(e.out, ',')
		}
		e.path = append(e.path, step{index: written})
		entry(at)
		e.path = e.path[:len(e.path)-1]
		written++
	}
	e.out = append(e.out, ']')
}

// nodes writes the records of the page.
type nodes struct{ object *object }

func (n nodes) write(e *encoding, c *connection, p page, _ row) {
	c.entries(e, p, func(at row) { n.object.write(e, at) })
}

// edgeList writes the edges of the page.
type edgeList struct{ fields []pageField }

func (l edgeList) write(e *encoding, c *connection, p page, _ row) {
	c.entries(e, p, func(at row) { c.writeFields(e, l.fields, p, at) })
}

// entry writes a record of an edge.
type entry struct{ object *object }

func (n entry) write(e *encoding, _ *connection, _ page, at row) { n.object.write(e, at) }

// cursor writes the cursor of an edge.
type cursor struct{}

func (cursor) write(e *encoding, c *connection, p page, at row) { e.cursor(c, p, at.n) }

func (e *encoding) cursor(c *connection, p page, n int) {
	key, _ := p.rows.Value(n, c.sortKey)
	e.out = append(e.out, '"')
	e.out = p.order.AppendCursor(e.out, model.Cursor{Key: string(key), ID: p.rows.Int64(n, c.id)})
	e.out = append(e.out, '"')
}

// pageInfo writes the page info.
type pageInfo struct{ fields []pageField }

func (i pageInfo) write(e *encoding, c *connection, p page, at row) {
	c.writeFields(e, i.fields, p, at)
}

// hasNext and hasPrevious write whether there are entries beyond the page.
type (
	hasNext     struct{}
	hasPrevious struct{}
)

func (hasNext) write(e *encoding, _ *connection, p page, _ row) {
	e.out = strconv.AppendBool(e.out, p.next)
}

func (hasPrevious) write(e *encoding, _ *connection, p page, _ row) {
	e.out = strconv.AppendBool(e.out, p.previous)
}

// endCursor writes the cursor of the last entry, or of the first.
type endCursor struct{ first bool }

func (n endCursor) write(e *encoding, c *connection, p page, _ row) {
	switch {
	case p.n == 0:
		e.null()
	case n.first:
		e.cursor(c, p, p.row(0))
	default:
		e.cursor(c, p, p.row(p.n-1))
	}
}

// total writes the number of entries on all pages.
type total struct{}

func (total) write(e *encoding, c *connection, _ page, at row) {
	rows, n := e.loads[c.count].Rows, 0
	if c.parent < 0 {
		e.out = strconv.AppendInt(e.out, rows.Int64(0, 0), 10)
		return
	}
	found := e.rowsOf(c.count, at, c.parent)
	if found.n > 0 {
		n = int(rows.Int64(found.first, query.Key+1))
	}
	e.out = strconv.AppendInt(e.out, int64(n), 10)
}

// typename writes the name of the type of a connection, an edge or a page info.
type typename string

func (t typename) write(e *encoding, _ *connection, _ page, _ row) { e.out = append(e.out, t...) }
