package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unique"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// insertPlan is the INSERT of a record type with the columns that bun maps and that have
// no default, and with its keys; see changing. keeping is the text for a request with a key.
type insertPlan struct {
	text, keeping unique.Handle[string]
	fields        []insertField
}

// insertField is a column. isText says that its value is the text of the argument.
type insertField struct {
	*schema.Field

	isText bool
}

// usualTexts is the size of the texts of a record without a long one.
const usualTexts = 256

// insert stores a new record with a prepared statement and sets the fields that the
// database generates. It returns when the record is durable.
func (s *Store) insert(ctx context.Context, record interface {
	model.Record
	Life() *model.Lifecycle
},
) error {
	row, t := reflect.ValueOf(record).Elem(), s.records.Type(record.TypeName())
	table := s.db.Table(row.Type())
	cached, ok := s.inserts.Load(table)
	if !ok {
		cached, _ = s.inserts.LoadOrStore(table, newInsertPlan(table, t))
	}
	plan := cached.(*insertPlan)
	st := &pgpipe.Statement{Text: plan.text, Args: make([][]byte, len(plan.fields)+len(t.Keys), len(plan.fields)+len(t.Keys)+keptArgs)}
	texts := make([]byte, 0, usualTexts)
	for i, field := range plan.fields {
		value := reflect.Indirect(field.Value(row))
		if !value.IsValid() {
			continue // null
		}
		if field.isText {
			start := len(texts)
			texts = append(texts, value.String()...)
			st.Args[i] = texts[start:len(texts):len(texts)]
			continue
		}
		var err error
		if st.Args[i], err = pgpipe.Argument(value.Interface()); err != nil {
			return err
		}
	}
	for i, k := range t.Keys {
		if key := t.KeyOf(k, record); key != nil {
			st.Args[len(plan.fields)+i] = []byte(*key)
		}
	}
	if sub := SubmissionOf(ctx); sub != nil && sub.keeps() {
		st.Text, sub.kept = plan.keeping, true
		st.Args = append(st.Args, strconv.AppendInt(nil, sub.account, 10), []byte(sub.Key), fmt.Appendf(nil, `\x%x`, sub.hash))
	}
	if err := s.writes.Run(ctx, st); err != nil {
		return err
	}
	defer st.Rows.Release()
	row.FieldByName("ID").SetInt(st.Rows.Int64(0, 0))
	life := record.Life()
	life.CreatedAt, life.UpdatedAt = dateTime(st.Rows.Bytes(0, 1)), dateTime(st.Rows.Bytes(0, 2))
	life.Version = int(pgpipe.Int(st.Rows.Bytes(0, 3)))
	return nil
}

// insertIn stores a row with the keys of its record in a transaction, and sets the columns
// that the database generates.
func (s *Store) insertIn(ctx context.Context, tx bun.Tx, row any, record model.Record, generated string) error {
	q, t := tx.NewInsert().Model(row), s.records.Type(record.TypeName())
	for _, k := range t.Keys {
		q = q.Value(k.Column, "?", t.KeyOf(k, record))
	}
	return s.changing(ctx, tx, record, q.Returning(generated), nil).Scan(ctx, row)
}

// generated are the columns of a record with a lifecycle that the database generates.
const generated = "id, created_at, updated_at, version"

func newInsertPlan(table *schema.Table, t *query.RecordType) *insertPlan {
	i := &insertPlan{}
	var names, placeholders []string
	for _, field := range table.Fields {
		if field.AutoIncrement || field.SQLDefault != "" {
			continue
		}
		isText := field.IndirectType.Kind() == reflect.String && !field.IndirectType.Implements(reflect.TypeFor[driver.Valuer]())
		i.fields = append(i.fields, insertField{field, isText})
		names = append(names, field.Name)
	}
	for _, k := range t.Keys {
		names = append(names, k.Column)
	}
	place := numbered(1)
	for range names {
		placeholders = append(placeholders, place())
	}
	statement := func(rows, more string) unique.Handle[string] {
		return unique.Make("WITH changed AS (INSERT INTO " + string(table.SQLName) + " (" + strings.Join(names, ", ") + ") " + rows +
			" RETURNING " + generated + ")" + fed(t.Name, "NULL::bigint[]") + more + " SELECT * FROM changed")
	}
	values := strings.Join(placeholders, ", ")
	i.text = statement("VALUES ("+values+")", "")
	// The timeout is set before the row is stored.
	i.keeping = statement("SELECT "+values+" WHERE "+setRequestLockTimeout+" IS NOT NULL", kept(t.Name, place))
	return i
}

// dateTime decodes a timestamptz within the range of time.Duration around 2000.
func dateTime(value []byte) model.DateTime {
	return model.DateTime{Time: time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(pgpipe.BigInt(value)) * time.Microsecond)}
}
