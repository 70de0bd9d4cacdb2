package query

import (
	"strconv"
	"strings"

	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
)

// Feed says which rows of the change feed are changes of a type's records.
type Feed struct {
	Kind model.ChangeKind
	// Type is the kind of record in the schema.
	Type model.ChangeType
	// Rows is the condition on a row c of the feed, and ID its column with the id of the
	// record.
	Rows, ID string
}

// Unseen is the condition that a change c is not in the snapshot of a parameter. It is the
// range of an index, too.
func Unseen(snapshot string) string {
	return "c.xid >= pg_snapshot_xmin(" + snapshot + "::pg_snapshot) AND NOT pg_visible_in_snapshot(c.xid, " + snapshot + "::pg_snapshot)"
}

// The parameters of Changed: the id, then the snapshot if there is one, and the viewer if
// not every record exists for them.
const (
	feedAfter    = "$1::bigint"
	feedSnapshot = "$2"
)

func feedViewer(since bool) string {
	if since {
		return "$3::bigint"
	}
	return "$2::bigint"
}

// changesLimit is how many ids a statement returns: a page, and one that shows that there
// are more.
const changesLimit = model.MaxPage + 1

// The columns of Changed.
const (
	ChangedID = iota
	ChangedExists
)

// Changed returns the statement with the ids of the type's records, in their order after
// an id, that may have changed for the viewer since a snapshot; with whether the record
// exists for the viewer. Without a snapshot these are all records that exist.
//
// For a viewer who sees some records it asks the feed for each of them, so that the cost
// does not follow the changes of others. A viewer who sees all records reads what is new
// in the feed.
func (t *RecordType) Changed(v *model.Viewer, since string, after int64) *pgpipe.Statement {
	key := feedKey{t, v.Role, v.Grants, since != ""}
	scope := t.Scope(ViewerArg{v, bun.Safe(feedViewer(since != ""))})
	text, ok := t.records.feeds.Load(key)
	if !ok {
		text, _ = t.records.feeds.LoadOrStore(key, scope.changed(since != ""))
	}
	args := [][]byte{strconv.AppendInt(nil, after, 10)}
	if since != "" {
		args = append(args, []byte(since))
	}
	if !scope.IsWhole() {
		args = append(args, strconv.AppendInt(nil, v.UserID, 10))
	}
	return pgpipe.NewStatement(text.(string), args...)
}

// feedKey is what the text of Changed depends on.
type feedKey struct {
	t      *RecordType
	role   model.Role
	grants model.GrantSet
	since  bool
}

func (s Scope) changed(since bool) string {
	rows := " FROM change_feed AS c WHERE " + s.Feed.Rows + " AND " + Unseen(feedSnapshot)
	found := s.idsOfSources("")
	switch {
	case since && s.IsWhole():
		found = []string{"SELECT " + s.Feed.ID + " AS id" + rows}
	case since:
		found = append(
			s.idsOfSources("CROSS JOIN LATERAL (SELECT"+rows+" AND "+s.Feed.ID+" = "+s.Alias+".id LIMIT 1) AS change"),
			"SELECT "+s.Feed.ID+" AS id"+rows+" AND c.accounts @> ARRAY["+feedViewer(true)+"]")
	}
	return "SELECT found.id, EXISTS (SELECT FROM " + s.Table + " AS " + s.Alias + " WHERE " + s.Alias + ".id = found.id AND " +
		s.records.where(s.Exists(Lookup, model.DeletedExclude)) + ") FROM (SELECT DISTINCT all_of.id FROM ((" + strings.Join(found, ") UNION ALL (") +
		")) AS all_of WHERE all_of.id > " + feedAfter + " ORDER BY all_of.id LIMIT " + strconv.Itoa(changesLimit) + ") AS found ORDER BY found.id"
}

// idsOfSources returns the SQL of the first ids of each source of the records that exist
// for the viewer. join is joined to each record.
func (s Scope) idsOfSources(join string) []string {
	ids := func(where string) string {
		return "SELECT " + s.Alias + ".id FROM " + s.Table + " AS " + s.Alias + " " + join + " WHERE " + where + " AND " + s.Alias + ".id > " + feedAfter +
			" ORDER BY " + s.Alias + ".id LIMIT " + strconv.Itoa(changesLimit)
	}
	of := s.allSources(model.DeletedExclude)
	if of == nil {
		return []string{ids(s.records.where(s.Exists(Scan, model.DeletedExclude)))}
	}
	all := []string{"SELECT one.id FROM (" + of.keys + ") AS owner (id) CROSS JOIN LATERAL (" + ids(of.column+" = owner.id AND "+of.exists) + ") AS one"}
	if of.others != "" {
		all = append(all, ids(of.others+" AND "+of.exists))
	}
	return all
}
