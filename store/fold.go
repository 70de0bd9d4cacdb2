package store

import (
	"bytes"
	"slices"
)

// fold is how the rows of a statement are split that does two reads: one at the
// root, and the one list below it. The columns of the root come first, with the
// id in front, and again in each row of the list. That costs less than a second
// statement as long as there are few of them, and short ones.
type fold struct {
	// width is how many columns are the root's, and id which of the others is null
	// when the list has no row.
	width, id int
}

// mostFolded is how many columns may be repeated; bulky are those that may not.
const mostFolded = 4

var bulky = []string{"address", "availability", "emergency_contact", "medical_history", "notes"}

// foldAll folds those of the reads that can be.
func foldAll(reads []*Read) {
	for _, root := range reads {
		if root.parent != nil || root.counts || !root.one && !root.paged() || root.mayBeDeleted() || !root.level.slim() {
			continue
		}
		var below []*Read
		for _, r := range reads {
			if r.parent == root && !r.counts {
				below = append(below, r)
			}
		}
		if len(below) != 1 || below[0].on != root.level.Record() {
			continue
		}
		list := below[0].level
		if id := slices.Index(list.columns, output{list.Record(), "id", ""}); id >= 0 {
			below[0].folds, root.foldedInto = &fold{len(root.level.columns), id}, below[0]
		}
	}
}

// slim reports whether the rows of a level at the root may be repeated.
func (l *Level) slim() bool {
	return !l.keyed && len(l.records) == 1 && len(l.columns) <= mostFolded &&
		l.columns[0] == output{l.Record(), "id", ""} &&
		!slices.ContainsFunc(l.columns, func(c output) bool { return slices.Contains(bulky, c.name) })
}

// foldColumns is selectList for the root of a statement that is folded.
func (l *Level) foldColumns() string {
	list := ""
	for i, c := range l.columns {
		if i > 0 {
			list += ", "
		}
		list += "up." + c.name + c.cast
	}
	return list
}

// writeFolded writes the root, with what the list needs of it.
func (r *Read) writeFolded(st *statement) {
	root := r.parent
	st.write("SELECT page.*, page.id AS k")
	if r.level.asksUp() {
		st.write(", page.relations AS r")
	}
	st.write(" FROM ")
	root.writePage(st, st.pieces(root).foldExports, root.limit())
}

// add adds a row of the statement to those of the root and of the list. The rows
// of one root follow each other.
func (f *fold) add(root, list *Rows, values [][]byte) {
	if n := root.Len(); n == 0 || !bytes.Equal(root.value(n-1, 0), values[0]) {
		root.add(values[:f.width])
	}
	if values[f.width+f.id] != nil {
		list.add(values[:1], values[f.width:])
	}
}
