package query

import (
	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// Load is a node with the arguments of one request, or a count of its rows.
type Load struct {
	node *Node
	// parent is the load of the records with the list; nil at the root.
	parent *Load

	Selection
	order Sorting
	page  model.Page
	// counts is set for the number of rows, group for that of each value.
	counts bool
	group  *Group
	// one is set if there is one row at most, the one with the id.
	one bool
	id  int64
	// ids is the number of ids of ByIDs.
	ids int
	// ownRows is set if the viewer sees every row when the parent is the viewer's own
	// doctor entry.
	ownRows bool
	// byNode is set if the conditions or the order are about the nodes of the list.
	byNode bool
	// pageOnly leaves out the row beyond the page.
	pageOnly bool
	// split is set if the statement also reads the parent, which is then mergedInto
	// this load.
	split      *pgpipe.Split
	mergedInto *Load
	sent       *pgpipe.Statement
	// Rows is the result. A count has one row with the number as a bigint; below another
	// load it has a row for each parent, with the parent's id first. A group has a row
	// for each value: the text, and the number as a bigint.
	Rows *pgpipe.Rows
}

// The columns of a group.
const (
	GroupValue = iota
	GroupCount
)

// One loads the live record with the id, if it exists for the viewer.
func (n *Node) One(id int64) *Load {
	l := n.lookup(n.Record().typ.hasID, id)
	l.one, l.id = true, id
	return l
}

// ByIDs loads the live records with the ids that exist for the viewer, unordered.
func (n *Node) ByIDs(ids []int64) *Load {
	l := n.lookup(n.Record().typ.hasAnyID, ids)
	l.ids = len(ids)
	return l
}

func (n *Node) lookup(condition string, value any) *Load {
	all := &struct { // in one piece, since most requests are lookups
		load      Load
		condition [1]Condition
		arg       [1]any
	}{arg: [1]any{value}}
	all.condition[0] = Condition{condition, all.arg[:]}
	all.load = Load{node: n, Selection: Selection{Path: Lookup, Deleted: model.DeletedExclude, Conditions: all.condition[:]}}
	return &all.load
}

// List loads a page of the type's list of Query. It returns BAD_USER_INPUT and
// INVALID_CURSOR for bad page arguments and filters.
func (n *Node) List(v *model.Viewer, args Args) (*Load, error) {
	t := n.Record().typ
	selection, err := t.Root.Filter(t.Scope(PlaceholderViewer(v)), args)
	if err != nil {
		return nil, err
	}
	return n.paged(&Load{Selection: selection, order: t.Sorting(args)}, args)
}

// ListOf loads the same page of the list for each record of the parent. It returns
// BAD_USER_INPUT and INVALID_CURSOR for bad page arguments and searches.
func (n *Node) ListOf(parent *Load, args Args) (*Load, error) {
	conditions, err := n.list.Conditions(args)
	if err != nil {
		return nil, err
	}
	l := &Load{parent: parent, order: n.list.Sorting(args), byNode: n.list.NeedsNode(args), Selection: Selection{
		Path: Among, Deleted: model.DeletedExclude, Conditions: conditions,
	}}
	l.ownRows = n.list.OwnRows != nil && n.list.OwnRows(args)
	l.Selective = l.byNode && Arg[string](args, "search") != nil
	return n.paged(l, args)
}

func (n *Node) paged(l *Load, args Args) (_ *Load, err error) {
	l.node = n
	l.page, err = args.Page().Page(l.order.Order)
	return l, err
}

// GroupBy counts all live records that exist for the viewer by a value.
func (n *Node) GroupBy(g *Group) *Load {
	return &Load{node: n, group: g, Selection: Selection{Deleted: model.DeletedExclude}}
}

// Count returns a load of the number of rows on all pages.
func (l *Load) Count() *Load {
	count := *l
	count.counts = true
	return &count
}

// Order returns the order of a list.
func (l *Load) Order() model.Order { return l.order.Order }

// Page returns the validated page of a list.
func (l *Load) Page() model.Page { return l.page }

// PageOnly omits the row beyond the page, which shows whether there are more.
func (l *Load) PageOnly() { l.pageOnly = true }

// isLookup reports whether the load finds records by their ids.
func (l *Load) isLookup() bool { return l.parent == nil && !l.isPaged() }

// maxRows returns the maximum number of rows.
func (l *Load) maxRows() int {
	switch {
	case l.one:
		return 1
	case l.isLookup():
		return model.MaxPage
	case l.parent == nil:
		return l.limit()
	default:
		return l.limit() * l.parent.maxRows()
	}
}

// maxBytes returns about how many bytes the rows have if their wide columns are full.
func (l *Load) maxBytes() int {
	rows := l.maxRows()
	if l.ids > 0 {
		rows = l.ids
	}
	return rows * (typicalBytes*len(l.node.columns) + l.node.wide)
}

// typicalBytes is the size of a value that is not wide.
const typicalBytes = 32

// limit returns the maximum number of rows for each parent.
func (l *Load) limit() int {
	if l.pageOnly {
		return l.page.Limit
	}
	return l.page.Limit + 1
}

func (l *Load) isPaged() bool { return l.order.Column != "" }

// mayBeDeleted reports whether rows may be deleted records.
func (l *Load) mayBeDeleted() bool {
	return l.Deleted == model.DeletedInclude || l.Deleted == model.DeletedOnly
}
