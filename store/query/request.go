package query

import (
	"slices"
	"unique"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// Request is what one round trip reads.
type Request struct {
	Loads []*Load
	// Confirm asks to confirm the viewer's session in the same round trip.
	Confirm bool
	// Meter counts the bytes of the rows; may be nil.
	Meter pgpipe.Meter
}

// byValues lets PostgreSQL plan the rest of the transaction for its values. It has more
// memory there, for the matches of a search: with the usual 4 MB it keeps only pages of
// them, and compares all rows of these again.
var byValues = unique.Make("SELECT set_config('plan_cache_mode', 'force_custom_plan', true), set_config('work_mem', '32MB', true)")

// isSelective reports whether the best plan depends on the values of the load.
func (l *Load) isSelective() bool { return l.Selective || l.parent != nil && l.parent.isSelective() }

// Statements returns the statements of the request, followed by more. PostgreSQL plans
// selective loads for their values, and all others once. A prepared statement keeps its
// plan, so the selective ones come last.
func (r *Request) Statements(v *model.Viewer, more ...*pgpipe.Statement) ([]*pgpipe.Statement, error) {
	mergeAll(r.Loads)
	statements := make([]*pgpipe.Statement, 0, 1+len(r.Loads)+len(more))
	for _, selective := range []bool{false, true} {
		if selective && slices.ContainsFunc(r.Loads, (*Load).isSelective) {
			statements = append(statements, &pgpipe.Statement{Text: byValues})
		}
		for _, l := range r.Loads {
			if l.mergedInto != nil || l.isSelective() != selective {
				continue
			}
			var err error
			if l.sent, err = l.statement(v); err != nil {
				return nil, err
			}
			l.sent.Meter, l.sent.Type = r.Meter, l.node.Record().typ.Name
			statements = append(statements, l.sent)
		}
	}
	return append(statements, more...), nil
}

// Event returns the event that is recorded of the viewer before the rows are answered, or
// "".
func (r *Request) Event() model.SecurityEventKind {
	for _, l := range r.Loads {
		if root := l.node.Record().typ.Root; root != nil && root.Event != "" && l.parent == nil && l.isPaged() {
			return root.Event
		}
	}
	return ""
}

// Fill sets the rows of the loads from their statements.
func (r *Request) Fill() {
	for _, l := range r.Loads {
		if l.mergedInto != nil {
			l.Rows = l.mergedInto.sent.Above
		} else {
			l.Rows = l.sent.Rows
		}
	}
}

// Release returns the memory of all rows, which must not be used afterwards.
func (r *Request) Release() {
	for _, l := range r.Loads {
		if l.Rows != nil {
			l.Rows.Release()
			l.Rows = nil
		}
	}
}

// Discard is Release for rows that no one may see.
func (r *Request) Discard() {
	r.Fill()
	r.Release()
}

// maxShared is how many rows a request may read in a shared round trip, and
// maxSharedBytes how many bytes if all wide columns are full: five long texts.
const (
	maxShared      = 100
	maxSharedBytes = 110_000
)

// Bounded reports whether the cost of all loads is known: lookups by id, lists that
// inherit relations, and lists of the viewer's own doctor entry. The viewer sees every
// row of these. For other lists PostgreSQL may search all rows for a small page, and
// the requests in the same round trip would wait. They would also wait for long texts.
func (r *Request) Bounded(ownDoctor int64) bool {
	rows, bytes := 0, 0
	for _, l := range r.Loads {
		if l.counts || l.group != nil || l.byNode || !l.isLookup() && !l.inheritsRelations() && !l.isOwn(ownDoctor) {
			return false
		}
		rows += l.maxRows()
		bytes += l.maxBytes()
	}
	return rows <= maxShared && bytes <= maxSharedBytes
}

func (l *Load) inheritsRelations() bool { return l.parent != nil && l.node.inheritsRelations }

// isOwn reports whether the list is of the viewer's own doctor entry.
func (l *Load) isOwn(ownDoctor int64) bool {
	return l.ownRows && l.parent.one && l.node.on.parent == nil && l.parent.id == ownDoctor
}
