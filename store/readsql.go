package store

import (
	"strconv"

	"github.com/caregraph/caregraph/model"
)

// statement writes the statement of a read for a viewer.
func (r *Read) statement(v *model.Viewer) *statement {
	st := &statement{store: r.level.store, viewer: v, text: make([]byte, 0, 1<<10)}
	switch {
	case r.counts && r.parent != nil:
		st.write("SELECT up.k, (SELECT count(*) FROM ")
		r.writeFrom(st)
		r.writeWhere(st)
		st.write(") FROM (")
		r.writeUp(st)
		st.write(") AS up")
	case r.groups:
		st.write("SELECT min(doctor.specialization), count(*) FROM ")
		r.writeFrom(st)
		r.writeWhere(st)
		st.write(" GROUP BY doctor.specialization_key ORDER BY doctor.specialization_key")
	case r.counts:
		st.write("SELECT count(*) FROM ")
		r.writeFrom(st)
		r.writeWhere(st)
	default:
		r.writeRows(st)
	}
	return st
}

func (r *Read) writeRows(st *statement) {
	text := r.text(st.viewer)
	st.write("SELECT ", text.columns)
	if r.confirms {
		st.write(", session.lives FROM (SELECT ")
		st.writeSession()
		st.write(") AS session (lives) LEFT JOIN ")
		r.writePage(st, text.exports, r.page.Limit+1)
		st.write(" ON session.lives")
	} else {
		st.write(" FROM ")
		r.writePage(st, text.exports, r.page.Limit+1)
	}
	for _, join := range text.joins {
		st.write(join)
	}
	if len(text.joins) > 0 && r.paged() {
		direction := string(r.query.order.direction(r.page))
		st.write(" ORDER BY page.place ", direction, ", page.id ", direction)
	}
}

// writePage writes the level's own records, at most so many for each parent.
func (r *Read) writePage(st *statement, exports string, limit int) {
	if r.parent != nil {
		st.write("(")
		r.writeUp(st)
		st.write(") AS up CROSS JOIN LATERAL ")
	}
	st.write("(SELECT ", exports, " FROM ")
	r.writeFrom(st)
	r.writeWhere(st)
	if r.paged() {
		order, t := r.query.order, r.query.table
		st.and(order.bounds(t, r.page))
		direction := string(order.direction(r.page))
		st.write(" ORDER BY ", order.column, " ", direction, ", ", t.alias, ".id ", direction, " LIMIT ")
		st.writeInt(limit)
	}
	st.write(") AS page")
}

func (r *Read) writeFrom(st *statement) {
	t := r.query.table
	st.write(t.name, " AS ", t.alias)
	if t.from != "" && !r.level.inherits {
		st.write(" ", t.from)
	}
}

func (r *Read) writeWhere(st *statement) {
	st.write(" WHERE ", r.text(st.viewer).exists)
	if r.parent != nil {
		st.write(" AND ", r.query.table.alias, ".", string(r.side), " = up.k")
	}
	st.and(r.query.conditions)
}

// writeUp writes the records that the rows belong to: their ids as k and, for
// rows that inherit it, how the viewer stands to them as r.
func (r *Read) writeUp(st *statement) {
	above := r.parent
	text := above.text(st.viewer)
	distinct := ""
	if r.on.parent != nil {
		distinct = "DISTINCT " // one record may be named by several
	}
	st.write("SELECT ", distinct, r.on.ref("id"), " AS k")
	if r.level.inherits {
		st.write(", ", r.on.ref("relations"), " AS r")
	}
	st.write(" FROM ")
	above.writePage(st, text.keys, above.page.Limit)
	for _, place := range r.on.path()[1:] {
		st.write(text.joinKeys[place-1])
	}
	if r.level.inherits && r.on.parent == nil {
		st.write(" WHERE page.live") // what belongs to a deleted record is not given out
	}
}

func bits(r model.Relations) string { return strconv.Itoa(int(r)) }
