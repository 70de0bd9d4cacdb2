package query

import (
	"fmt"
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
	// Most says that most rows are of this type. For a viewer who sees all records, the best
	// plan then depends on the age of the snapshot.
	Most bool
}

// ByValues lets PostgreSQL plan the rest of the transaction for its values.
func ByValues() *pgpipe.Statement { return &pgpipe.Statement{Text: byValues} }

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
	limit := strconv.Itoa(changesLimit)
	rows := " FROM change_feed AS c WHERE " + s.Feed.Rows + " AND " + Unseen(feedSnapshot)
	if since && s.IsWhole() {
		return "SELECT one.id, EXISTS (SELECT FROM " + s.Table + " AS " + s.Alias + " WHERE " + s.Alias + ".id = one.id AND " +
			s.records.where(s.Exists(Lookup, model.DeletedExclude)) + ") FROM (SELECT DISTINCT " + s.Feed.ID + " AS id" + rows + " AND " + s.Feed.ID + " > " + feedAfter +
			" ORDER BY " + s.Feed.ID + " LIMIT " + limit + ") AS one ORDER BY one.id"
	}
	found := s.firstOfSources("")
	if since {
		found = append(s.firstOfSources("CROSS JOIN LATERAL (SELECT"+rows+" AND "+s.Feed.ID+" = "+s.Alias+".id LIMIT 1) AS change"),
			"SELECT "+s.Feed.ID+" AS id, false AS seen"+rows+" AND c.accounts @> ARRAY["+feedViewer(true)+"]")
	}
	return "SELECT one.id, bool_or(one.seen) FROM ((" + strings.Join(found, ") UNION ALL (") + ")) AS one WHERE one.id > " + feedAfter +
		" GROUP BY one.id ORDER BY one.id LIMIT " + limit
}

// firstOfSources returns the SQL of the first ids of each source of the records that exist
// for the viewer. join is joined to each record. A record that exists and that has changed
// is among them, so what is only in other sources does not exist.
func (s Scope) firstOfSources(join string) []string {
	first := func(where string) string {
		return fmt.Sprintf("SELECT %[1]s.id, true AS seen FROM %[2]s AS %[1]s %[3]s WHERE %[4]s AND %[1]s.id > %[5]s ORDER BY %[1]s.id LIMIT %[6]d",
			s.Alias, s.Table, join, where, feedAfter, changesLimit)
	}
	of := s.allSources(model.DeletedExclude)
	if of == nil {
		return []string{first(s.records.where(s.Exists(Scan, model.DeletedExclude)))}
	}
	all := []string{"SELECT own.* FROM (" + of.keys + ") AS owner (id) CROSS JOIN LATERAL (" + first(of.column+" = owner.id AND "+of.exists) + ") AS own"}
	if of.others != "" {
		all = append(all, first(of.others+" AND "+of.exists))
	}
	return all
}
