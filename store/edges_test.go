package store_test

import (
	"testing"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store/storetest"
)

// A record that stays readable after it was deleted is there for every row that names it:
// the plans of queries rely on it.
func TestEdges_OfRecordsThatStayAreForeignKeys(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	db := connect(t, c.URL)
	checked := 0
	for _, typ := range c.Store.Records().Types() {
		for _, e := range typ.One {
			if !e.IncludeDeleted {
				continue
			}
			checked++
			var n int
			testutil.Must(t, db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_constraint AS c
				JOIN pg_attribute AS a ON a.attrelid = c.conrelid AND ARRAY[a.attnum] = c.conkey
				JOIN pg_attribute AS k ON k.attrelid = c.confrelid AND ARRAY[k.attnum] = c.confkey
				WHERE c.contype = 'f' AND c.conrelid = $1::text::regclass AND c.confrelid = $2::text::regclass
					AND a.attname = $3 AND a.attnotnull AND k.attname = $4`, typ.Table, e.Target().Table, e.From, e.Key).Scan(&n))
			if n != 1 {
				t.Errorf("%s.%s is no foreign key that is always set", typ.Name, e.Field)
			}
		}
	}
	if checked == 0 {
		t.Error("there is no such edge")
	}
}
