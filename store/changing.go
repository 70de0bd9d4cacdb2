package store

import (
	"context"
	"strconv"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// This file makes each change of a record one statement with what belongs to it: the row of
// the change feed, and the key of the request. A change by several statements takes the
// parts.

// changing returns the statement of a change of a record, which returns changedColumns of
// its type and perhaps others. lost are the accounts that lose access by the change, or for
// an account or a doctor entry those whose standing changes as a whole.
func (s *Store) changing(ctx context.Context, tx bun.Tx, record model.Record, change schema.QueryAppender, lost []int64) *bun.RawQuery {
	text, args := fed(record.TypeName(), "?::bigint[]"), []any{change, idsOrNull(lost)}
	if sub := submissionOf(ctx); sub.keeps() {
		text += kept(record.TypeName(), func() string { return "?" })
		args = append(args, sub.account, sub.Key, sub.hash)
		sub.kept = true
	}
	return tx.NewRaw("WITH changed AS (?)"+text+" SELECT * FROM changed", args...)
}

// idsOrNull returns an argument for ids, null for none.
func idsOrNull(ids []int64) any {
	if len(ids) == 0 {
		return nil
	}
	return array(ids)
}

// changedColumns are the columns of a changed record that fed needs.
func changedColumns(typ string) string {
	if typ == "Mapping" {
		return "id, patient_id"
	}
	return "id"
}

// fed adds a row of the feed for each row of the CTE changed. accounts is an SQL value.
func fed(typ, accounts string) string {
	kind, patient := model.ChangedUser, "NULL::bigint"
	switch typ {
	case "Patient":
		kind, patient = model.ChangedPatient, "id"
	case "Mapping":
		kind, patient = model.ChangedMapping, "patient_id"
	case "Doctor":
		kind = model.ChangedDoctor
	}
	return `, fed AS (INSERT INTO change_feed (kind, id, patient, accounts) SELECT '` + string(kind) + `'::"char", id, ` + patient + ", " + accounts + " FROM changed)"
}

// keptArgs is how many placeholders kept takes.
const keptArgs = 3

// kept adds the row of a request. place returns the next placeholder.
func kept(typ string, place func() string) string {
	return ", kept AS (INSERT INTO requests (account, key, hash, kind, result) SELECT " +
		place() + "::bigint, " + place() + "::text, " + place() + "::bytea, '" + letterOf(typ) + `'::"char", id FROM changed)`
}

// numbered returns the placeholders of a prepared statement, from the first one on.
func numbered(first int) (place func() string) {
	return func() string {
		first++
		return "$" + strconv.Itoa(first-1)
	}
}

// feedAccounts adds rows of accounts to the feed: something that they see of themselves has
// changed. The standing of those in reset changes as a whole.
func (s *Store) feedAccounts(ctx context.Context, tx bun.Tx, accounts []int64, reset ...int64) error {
	_, err := tx.NewRaw(`INSERT INTO change_feed (kind, id, accounts) SELECT ?, id, CASE WHEN id = ANY (?::bigint[]) THEN ARRAY[id] END
		FROM unnest(?::bigint[]) AS account (id)`, model.ChangedUser, array(reset), array(accounts)).Exec(ctx)
	return err
}
