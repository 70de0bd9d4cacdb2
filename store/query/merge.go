package query

import (
	"slices"

	"github.com/caregraph/caregraph/internal/pgpipe"
)

// maxMerged is how many columns of a record may be repeated in each row of its
// list. A statement that reads a root and the one list below it costs less than
// two statements as long as the root has few columns, and short ones.
const maxMerged = 4

// mergeAll merges each load that can be with the one list below it.
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

// narrow reports whether the rows of a node at the root may be repeated.
func (n *Node) narrow() bool {
	return n.on == nil && len(n.joins) == 1 && len(n.columns) <= maxMerged && !n.wide &&
		n.columns[0] == output{n.Record(), "id", ""}
}

// writeMerged writes the root, with what the list needs of it.
func (l *Load) writeMerged(b *textBuilder) {
	root := l.parent
	b.write("SELECT page.*, page.id AS k")
	if l.node.needsParentRelations() {
		b.write(", page.relations AS r")
	}
	b.write(" FROM ")
	root.writePage(b, root.fragments(b.viewer).mergedExports, root.limit())
}
