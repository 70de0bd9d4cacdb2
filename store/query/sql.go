package query

import (
	"slices"
	"strconv"
	"sync"

	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// statement returns the statement of a load for a viewer. Loads with the same cacheKey
// share a text.
func (l *Load) statement(v *model.Viewer) (*pgpipe.Statement, error) {
	binder := argBinder{args: make([][]byte, 0, typicalArgs)}
	l.bind(&binder, v)
	var buffer [typicalKey]byte
	key, cacheable := l.cacheKey(append(append(buffer[:0], byte('0'+v.Grants)), v.Role...))
	var text cachedText
	ok := false
	if cacheable {
		text, ok = l.node.texts.get(key)
	}
	if !ok {
		b := textBuilder{records: l.node.records, viewer: v}
		l.write(&b)
		text = b.complete()
		text.constants = l.constants(v)
		if cacheable {
			l.node.texts.add(string(key), text)
		}
	}
	st, err := binder.statement(text, v)
	st.Split, st.Bytes = l.split, l.maxBytes()
	return st, err
}

const (
	typicalArgs = 6
	typicalKey  = 256
)

// constants returns the columns that are not in the statement, by their place in a row.
func (l *Load) constants(v *model.Viewer) (all []pgpipe.Constant) {
	if l.counts || l.group != nil {
		return nil
	}
	before := 0
	switch {
	case l.split != nil:
		all, before = slices.Clone(l.parent.fragments(v).constants), l.split.Width
	case l.node.on != nil:
		before = 1 // the key
	}
	for _, c := range l.fragments(v).constants {
		all = append(all, pgpipe.Constant{Column: before + c.Column, Value: c.Value})
	}
	return all
}

// cacheKey appends everything that the text depends on besides the node and the role;
// ok is false if the text must not be cached.
func (l *Load) cacheKey(b []byte) (key []byte, ok bool) {
	for i, is := range [...]bool{
		l.counts, l.group != nil, l.pageOnly, l.split != nil, l.page.Backwards, l.order.Descending, l.page.After != nil, l.page.Before != nil,
		l.byNode,
	} {
		if is {
			b = append(b, byte('a'+i))
		}
	}
	b = strconv.AppendInt(b, int64(l.page.Limit), 10)
	b = append(append(b, l.order.Column...), l.Deleted...)
	for _, c := range l.Conditions {
		for _, arg := range c.Args {
			if _, sql := arg.(schema.QueryAppender); sql {
				return nil, false
			}
		}
		b = append(append(b, ';'), c.Text...)
	}
	if l.parent == nil {
		return b, true
	}
	return l.parent.cacheKey(append(b, '/'))
}

// textCache caches the first maxTexts texts of a node, so that clients cannot fill the
// memory. Real clients use few.
type textCache struct {
	mu    sync.RWMutex
	texts map[string]cachedText
}

const maxTexts = 8

func (c *textCache) get(key []byte) (cachedText, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	text, ok := c.texts[string(key)]
	return text, ok
}

func (c *textCache) add(key string, text cachedText) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.texts == nil {
		c.texts = map[string]cachedText{}
	}
	if len(c.texts) < maxTexts {
		c.texts[key] = text
	}
}

// write writes the statement, and bind binds its arguments in the same order.
func (l *Load) write(b *textBuilder) {
	switch {
	case l.counts && l.parent != nil:
		b.write("SELECT up.k, (SELECT count(*) FROM ")
		l.writeFrom(b)
		b.write(") FROM (")
		l.writeParents(b)
		b.write(") AS up")
	case l.group != nil:
		alias := l.node.Record().typ.Alias
		b.write("SELECT min(", alias, ".", l.group.Value, "), count(*) FROM ")
		l.writeFrom(b)
		b.write(" GROUP BY ", l.group.By, " ORDER BY ", l.group.By)
	case l.counts && l.seesAll(b.viewer):
		t := l.node.Record().typ
		b.write("SELECT (SELECT count(*) FROM ", t.Table, " AS ", t.Alias, " WHERE ", allOf(t.Live))
		b.and(l.Conditions)
		b.write(") - (SELECT count(*) FROM ", t.Table, " AS ", t.Alias, " ", t.join(), " WHERE ", allOf(t.Live, "NOT ("+t.parent.Live+")"))
		b.and(l.Conditions)
		b.write(")")
	case l.counts:
		b.write("SELECT count(*) FROM ")
		l.writeFrom(b)
	default:
		l.writeRows(b)
	}
}

func (l *Load) bind(b *argBinder, v *model.Viewer) {
	switch {
	case l.counts && l.seesAll(v):
		b.conditions(l.Conditions)
		b.conditions(l.Conditions)
	case l.counts && l.parent != nil:
		b.conditions(l.Conditions)
		l.parent.bindPage(b, v)
	case l.counts || l.group != nil:
		b.conditions(l.Conditions)
	default:
		l.bindPage(b, v)
	}
}

// seesAll reports whether the viewer sees every row of the list whose parent is live.
// The number of rows is then that of all rows minus the few of deleted parents, which
// needs no join of the two tables. The conditions only compare columns of the row.
func (l *Load) seesAll(v *model.Viewer) bool {
	t := l.node.Record().typ
	return l.parent == nil && t.parent != nil && t.parent.Live != "" && v.Relations().Any(t.rule().Exists)
}

// bindPage binds the arguments of writePage, and of writeMerged and writeOwn.
func (l *Load) bindPage(b *argBinder, v *model.Viewer) {
	if l.parent != nil {
		l.parent.bindPage(b, v)
	}
	times := 1
	if s := l.sources(v); s != nil && s.others != "" {
		times = 2
	}
	for range times {
		b.conditions(l.Conditions)
		if l.isPaged() {
			b.conditions(l.order.Bounds(l.node.Record().typ, l.page))
		}
	}
}

func (l *Load) writeRows(b *textBuilder) {
	text := l.fragments(b.viewer)
	switch {
	case l.split != nil:
		b.write("SELECT ", l.parent.fragments(b.viewer).mergedColumns, text.columns, " FROM (")
		l.writeMerged(b)
		b.write(") AS up LEFT JOIN LATERAL ")
		l.writeOwn(b, text.exports, l.limit())
		b.write(" ON TRUE")
	case l.parent != nil:
		b.write("SELECT up.k", text.columns, " FROM ")
		l.writePage(b, text.exports, l.limit())
	default:
		b.write("SELECT ", text.columns, " FROM ")
		l.writePage(b, text.exports, l.limit())
	}
	for _, join := range text.joins {
		b.write(join)
	}
	l.writeOrder(b, len(text.joins) > 0)
}

// writeOrder writes ORDER BY if joins may change the order. Nested loops do not: PostgreSQL
// sees that the rows have the order of the root, and sorts nothing. The rows below one
// record follow each other, in the order of their subquery.
func (l *Load) writeOrder(b *textBuilder, joined bool) {
	order := " ORDER BY "
	if l.split != nil && l.parent.isPaged() {
		direction := string(l.parent.order.Direction(l.parent.page))
		b.write(order, "up.place ", direction, ", up.id ", direction)
		order, joined = ", ", true
	}
	if joined && l.isPaged() && (l.parent == nil || l.isSelective()) {
		direction := string(l.order.Direction(l.page))
		if l.parent != nil && l.split == nil {
			b.write(order, "up.k")
			order = ", "
		}
		b.write(order, "page.place ", direction, ", page.id ", direction)
	}
}

// writePage writes the node's own records, at most limit for each parent.
func (l *Load) writePage(b *textBuilder, exports string, limit int) {
	if l.parent != nil {
		b.write("(")
		l.writeParents(b)
		b.write(") AS up CROSS JOIN LATERAL ")
	}
	l.writeOwn(b, exports, limit)
}

// writeOwn is writePage for one parent.
func (l *Load) writeOwn(b *textBuilder, exports string, limit int) {
	if s := l.sources(b.viewer); s != nil {
		l.writeSources(b, s, exports, limit)
		return
	}
	b.write("(SELECT ", exports, " FROM ")
	l.writeFrom(b)
	if l.isPaged() {
		t := l.node.Record().typ
		b.and(l.order.Bounds(t, l.page))
		l.writeFirst(b, l.order.Column, t.Alias+".id", string(l.order.Direction(l.page)), limit)
	}
	b.write(") AS page")
}

// writeFrom writes the table and the conditions.
func (l *Load) writeFrom(b *textBuilder) {
	t := l.node.Record().typ
	b.write(t.Table, " AS ", t.Alias)
	if join := t.join(); join != "" && !l.node.inheritsRelations {
		b.write(" ", join)
	}
	if l.byNode {
		b.write(" ", l.fragments(b.viewer).nodes)
	}
	b.write(" WHERE ", l.fragments(b.viewer).exists)
	if l.parent != nil {
		b.write(" AND ", t.Alias, ".", l.node.list.Key, " = up.k")
	}
	b.and(l.Conditions)
}

// writeParents writes the records with the list: their ids as k and, for rows that
// inherit relations, the viewer's relations as r.
func (l *Load) writeParents(b *textBuilder) {
	above, on := l.parent, l.node.on
	text := above.fragments(b.viewer)
	distinct := ""
	if on.parent != nil {
		distinct = "DISTINCT " // several may name the same record
	}
	b.write("SELECT ", distinct, on.ref("id"), " AS k")
	if l.node.needsParentRelations() {
		b.write(", ", on.ref("relations"), " AS r")
	}
	b.write(" FROM ")
	above.writePage(b, text.keys, above.page.Limit)
	for _, index := range on.path()[1:] {
		b.write(text.joinKeys[index-1])
	}
	if l.node.inheritsRelations && on.parent == nil && above.mayBeDeleted() {
		b.write(" WHERE page.live") // the list of a deleted record is empty
	}
}
