package store

import (
	"context"
	"strconv"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/model"
)

// changing returns the statement that makes a change of a record, which returns its id,
// together with what belongs to the change: the key of the request.
func (s *Store) changing(ctx context.Context, tx bun.Tx, record model.Record, change schema.QueryAppender) *bun.RawQuery {
	args := []any{change}
	sub := submissionOf(ctx)
	if sub.keeps() {
		args = append(args, sub.account, sub.Key, sub.hash)
		sub.kept = true
	}
	text := changingText("?", record.TypeName(), sub.keeps(), func() string { return "?" })
	return tx.NewRaw(text, args...)
}

// changingText is the text of changing. place returns the next placeholder.
func changingText(change, typ string, keeps bool, place func() string) string {
	text := "WITH changed AS (" + change + ")"
	if keeps {
		text += ", kept AS (INSERT INTO requests (account, key, hash, kind, result) SELECT " +
			place() + "::bigint, " + place() + "::text, " + place() + "::bytea, '" + letterOf(typ) + "', id FROM changed)"
	}
	return text + " SELECT * FROM changed"
}

// numbered returns the placeholders of a prepared statement, from the first one on.
func numbered(first int) (place func() string) {
	return func() string {
		first++
		return "$" + strconv.Itoa(first-1)
	}
}
