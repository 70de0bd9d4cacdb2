package store

import (
	"strconv"
	"sync"

	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// statement returns the statement of a read for a viewer. Its text is written
// once for all reads of the same shape.
func (r *Read) statement(v *model.Viewer) *statement {
	st := &statement{store: r.level.store, viewer: v, fold: r.folds, args: make([][]byte, 0, usualArguments)}
	var room [usualShape]byte
	shape, kept := r.shape(append(room[:0], v.Role...))
	if kept {
		if known, ok := r.level.statements.get(shape); ok {
			r.write(st)
			st.use(known)
			return st
		}
	}
	st.drafted = true
	r.write(st)
	text := st.finish()
	st.use(text)
	if kept {
		r.level.statements.add(string(shape), text)
	}
	return st
}

const (
	usualArguments = 6
	usualShape     = 256
)

// shape appends all that the read's text depends on beside the level and the
// role; ok is false when that cannot be told.
func (r *Read) shape(b []byte) (shape []byte, ok bool) {
	q, p := r.query, r.page
	for i, is := range [...]bool{
		r.counts, r.groups, r.only, r.folds != nil, p.Backwards, q.order.Descending, p.After != nil, p.Before != nil,
	} {
		if is {
			b = append(b, byte('a'+i))
		}
	}
	b = strconv.AppendInt(b, int64(p.Limit), 10)
	b = append(append(append(b, q.order.column...), q.deleted...), r.side...)
	for _, c := range q.conditions {
		for _, arg := range c.args {
			if _, sql := arg.(schema.QueryAppender); sql {
				return nil, false
			}
		}
		b = append(append(b, ';'), c.text...)
	}
	if r.parent == nil {
		return b, true
	}
	return r.parent.shape(append(b, '/'))
}

// keptTexts are the texts of a level by their shapes. What clients ask for has
// few shapes; there is room for no more, so that nobody can fill the memory.
type keptTexts struct {
	mu    sync.RWMutex
	texts map[string]statementText
}

const mostShapes = 8

func (k *keptTexts) get(shape []byte) (statementText, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	text, ok := k.texts[string(shape)]
	return text, ok
}

func (k *keptTexts) add(shape string, text statementText) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.texts == nil {
		k.texts = map[string]statementText{}
	}
	if len(k.texts) < mostShapes {
		k.texts[shape] = text
	}
}

func (r *Read) write(st *statement) {
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
}

func (r *Read) writeRows(st *statement) {
	text := st.pieces(r)
	switch {
	case r.folds != nil:
		st.write("SELECT ", st.pieces(r.parent).foldColumns, text.columns, " FROM (")
		r.writeFolded(st)
		st.write(") AS up LEFT JOIN LATERAL ")
		r.writeOwn(st, text.exports, r.limit())
		st.write(" ON TRUE")
	case r.parent != nil:
		st.write("SELECT up.k", text.columns, " FROM ")
		r.writePage(st, text.exports, r.limit())
	default:
		st.write("SELECT ", text.columns, " FROM ")
		r.writePage(st, text.exports, r.limit())
	}
	for _, join := range text.joins {
		st.write(join)
	}
	r.writeOrder(st, len(text.joins) > 0)
}

// writeOrder sorts what a join, or another part of the statement, may have mixed.
func (r *Read) writeOrder(st *statement, joined bool) {
	order := " ORDER BY "
	if r.folds != nil && r.parent.paged() {
		direction := string(r.parent.query.order.direction(r.parent.page))
		st.write(order, "up.place ", direction, ", up.id ", direction)
		order, joined = ", ", true
	}
	if joined && r.paged() {
		direction := string(r.query.order.direction(r.page))
		st.write(order, "page.place ", direction, ", page.id ", direction)
	}
}

// writePage writes the level's own records, at most so many for each parent.
func (r *Read) writePage(st *statement, exports string, limit int) {
	if r.parent != nil {
		st.write("(")
		r.writeUp(st)
		st.write(") AS up CROSS JOIN LATERAL ")
	}
	r.writeOwn(st, exports, limit)
}

// writeOwn is writePage for one parent.
func (r *Read) writeOwn(st *statement, exports string, limit int) {
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
	st.write(" WHERE ", st.pieces(r).exists)
	if r.parent != nil {
		st.write(" AND ", r.query.table.alias, ".", string(r.side), " = up.k")
	}
	st.and(r.query.conditions)
}

// writeUp writes the records that the rows belong to: their ids as k and, for
// rows that inherit it, how the viewer stands to them as r.
func (r *Read) writeUp(st *statement) {
	above := r.parent
	text := st.pieces(above)
	distinct := ""
	if r.on.parent != nil {
		distinct = "DISTINCT " // one record may be named by several
	}
	st.write("SELECT ", distinct, r.on.ref("id"), " AS k")
	if r.level.asksUp() {
		st.write(", ", r.on.ref("relations"), " AS r")
	}
	st.write(" FROM ")
	above.writePage(st, text.keys, above.page.Limit)
	if st.drafted {
		for _, place := range r.on.path()[1:] {
			st.write(text.joinKeys[place-1])
		}
	}
	if r.level.inherits && r.on.parent == nil && above.mayBeDeleted() {
		st.write(" WHERE page.live") // what belongs to a deleted record is not given out
	}
}

// mayBeDeleted reports whether deleted records are among the rows.
func (r *Read) mayBeDeleted() bool {
	return r.query.deleted == model.DeletedInclude || r.query.deleted == model.DeletedOnly
}

// pieces are those of the read's level, if a text is being written.
func (st *statement) pieces(r *Read) *levelText {
	if !st.drafted {
		return &levelText{}
	}
	return r.text(st.viewer)
}

func bits(r model.Relations) string { return strconv.Itoa(int(r)) }
