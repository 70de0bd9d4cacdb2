package query

import (
	"slices"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// maxMerged is how many columns of a record may be repeated in each row of its list.
// One statement for a root and its only list costs less than two if the root has few
// and short columns.
const maxMerged = 4

// mergeAll merges each root with its only list, if the root is narrow.
func mergeAll(loads []*Load) {
	for _, root := range loads {
		if root.parent != nil || root.counts || !root.one && !root.isPaged() || root.mayBeDeleted() || !root.node.narrow() {
			continue
		}
		var below []*Load
		for _, l := range loads {
			if l.parent == root && !l.counts {
				below = append(below, l)
			}
		}
		if len(below) != 1 || below[0].node.on != root.node.Record() {
			continue
		}
		list := below[0].node
		if id := slices.Index(list.columns, output{list.Record(), "id", ""}); id >= 0 {
			below[0].split, root.mergedInto = &pgpipe.Split{Width: len(root.node.columns), ID: id}, below[0]
		}
	}
}

// narrow reports whether the rows of a root may be repeated.
func (n *Node) narrow() bool {
	return n.on == nil && len(n.joins) == 1 && len(n.columns) <= maxMerged && n.wide == 0 &&
		n.columns[0] == output{n.Record(), "id", ""}
}

// writeMerged writes the root with the columns that the list needs.
func (l *Load) writeMerged(b *textBuilder) {
	root := l.parent
	b.write("SELECT page.*, page.id AS k")
	if l.node.needsParentRelations() {
		b.write(", page.relations AS r")
	}
	b.write(" FROM ")
	root.writePage(b, root.fragments(b.viewer).mergedExports, root.limit())
}
