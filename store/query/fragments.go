package query

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// fragments are the parts of a node's statements that all viewers of a role share.
type fragments struct {
	columns string
	// constants are the columns that are the same in every row, by their place among all
	// columns of the node. The statement leaves them out.
	constants []pgpipe.Constant
	// mergedColumns are the columns in a statement that is merged with that of a list
	// below, and mergedExports the exports.
	mergedColumns, mergedExports string
	// exists is the condition that a record exists for the viewer.
	exists string
	// nodes joins the nodes of a list, for conditions and orders that are about them.
	nodes string
	// sources are those of a list of Query with several; nil for other lists.
	sources *sources
	// exports and keys are columns of the node's own records: those for its rows, and
	// those for a list below.
	exports, keys string
	// joins join the other records, in order; joinKeys join them for a list below.
	joins, joinKeys []string
}

// fragmentsKey has few values, for any requests of clients.
type fragmentsKey struct {
	role    model.Role
	grants  model.GrantSet
	path    AccessPath
	deleted model.DeletedFilter
	order   string
}

// fragments returns the fragments for the role of the viewer.
func (l *Load) fragments(v *model.Viewer) *fragments {
	key := fragmentsKey{v.Role, v.Grants, l.Path, l.Deleted, l.order.Column}
	if cached, ok := l.node.fragments.Load(key); ok {
		return cached.(*fragments)
	}
	stored, _ := l.node.fragments.LoadOrStore(key, l.node.newFragments(PlaceholderViewer(v), key))
	return stored.(*fragments)
}

func (n *Node) newFragments(v ViewerArg, key fragmentsKey) *fragments {
	own := n.Record()
	scope := own.typ.Scope(v)
	f := &fragments{constants: n.constants(v)}
	f.columns = n.selectList(f.constants, func(c output) string { return c.join.ref(c.name) })
	f.mergedColumns = n.selectList(f.constants, func(c output) string { return "up." + c.name })
	if n.on != nil && f.columns != "" { // they follow the key
		f.columns = ", " + f.columns
	}
	if n.on == nil && key.path == Scan && key.order != "" {
		f.sources = scope.sources(key.deleted)
	}
	relations, live := f.relations(scope), own.typ.live()
	if n.inheritsRelations {
		narrower := ""
		if n.narrowerThanParent() {
			narrower = "(up.r & " + strconv.Itoa(int(own.typ.rule().Exists)) + ") <> 0"
		}
		relations, live = "up.r", allOf(own.typ.Live)
		f.exists = allOf(narrower, own.typ.Live)
	} else {
		f.exists = n.records.where(scope.Exists(key.path, key.deleted))
	}
	if n.on != nil && n.list.ByNode {
		f.nodes = n.records.sql(n.list.NodeJoin(v))
	}
	f.exports = own.exported(relations, key.order)
	merged := *own
	merged.relations = own.relations || own.typ.isOwner
	f.mergedExports = merged.exported(relations, key.order)
	if key.order != "" { // joined rows are sorted by it
		f.exports += ", " + key.order + " AS place"
		f.mergedExports += ", " + key.order + " AS place"
	}
	f.keys = own.keys(relations) + ", " + live + " AS live"
	if f.sources != nil {
		f.keys += ", " + key.order + " AS place" // their rows are merged by it
	}
	for _, joined := range n.joins[1:] {
		scope := joined.typ.Scope(v)
		relations := n.records.sql(scope.Relations())
		if joined.inline() {
			relations = f.relations(scope)
		}
		exports, keys := joined.exported(relations, ""), joined.keys(relations)
		if joined.inline() {
			f.exports, f.keys = f.exports+", "+exports, f.keys+", "+keys
			f.joins, f.joinKeys = append(f.joins, ""), append(f.joinKeys, "")
			continue
		}
		deleted := model.DeletedExclude
		if joined.edge.IncludeDeleted {
			deleted = IncludeDeleted
		}
		exists := n.records.where(scope.Exists(Lookup, deleted))
		f.joins = append(f.joins, " LEFT "+joined.lateral(exports, exists))
		f.joinKeys = append(f.joinKeys, " "+joined.lateral(keys, exists))
	}
	return f
}

// relations returns the SQL of the viewer's relations to the node's own records, or to
// their parents.
func (f *fragments) relations(own Scope) string {
	if f.sources != nil && !f.sources.isPart {
		return own.records.sql(own.inSources())
	}
	return own.records.sql(own.Relations())
}

// constants returns the columns with relations that are the same for every row.
func (n *Node) constants(v ViewerArg) (all []pgpipe.Constant) {
	for i, c := range n.columns {
		if c.name != "relations" {
			continue
		}
		if r, ok := c.join.typ.Scope(v).constantRelations(); ok {
			all = append(all, pgpipe.Constant{Column: i, Value: binary.BigEndian.AppendUint32(nil, uint32(r))})
		}
	}
	return all
}

// selectList returns the columns of the node's rows without the constant ones.
func (n *Node) selectList(constants []pgpipe.Constant, ref func(output) string) string {
	var names []string
	for i, c := range n.columns {
		if !slices.ContainsFunc(constants, func(c pgpipe.Constant) bool { return c.Column == i }) {
			names = append(names, ref(c)+c.cast)
		}
	}
	return strings.Join(names, ", ")
}

// keys returns the columns that a list below needs, with the viewer's relations if
// rows may inherit them.
func (j *Join) keys(relations string) string {
	named := *j
	named.relations, named.sortKey = j.typ.isOwner, false
	return named.exported(relations, "")
}

// exported returns the columns of the record's part of the statement.
func (j *Join) exported(relations, sortKey string) string {
	names := make([]string, len(j.exports))
	for i, name := range j.exports {
		names[i] = j.typ.Alias + "." + name
		if j.inline() {
			names[i] += " AS " + j.prefix + name
		}
	}
	if j.relations {
		names = append(names, relations+" AS "+j.prefix+"relations")
	}
	if j.sortKey {
		names = append(names, "("+sortKey+")::text AS sort_key")
	}
	return strings.Join(names, ", ")
}

// lateral returns the join of the record to the one that names it.
func (j *Join) lateral(exports, exists string) string {
	from := j.typ.Table + " AS " + j.typ.Alias
	if join := j.typ.join(); join != "" {
		from += " " + join
	}
	return "JOIN LATERAL (SELECT " + exports + " FROM " + from +
		" WHERE " + j.typ.Alias + "." + j.edge.Key + " = " + j.parent.ref(j.edge.From) + " AND " + exists + ") AS " + j.alias + " ON TRUE"
}
