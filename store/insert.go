package store

import (
	"context"
	"reflect"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun/schema"
)

// insert stores a new record by a prepared statement and reads back what the
// database gave it: the columns id, created_at, updated_at and version, into
// the fields. Its columns are those that bun maps and that say nothing about
// defaults.
func (s *Store) insert(ctx context.Context, record any, made ...any) error {
	row := reflect.ValueOf(record).Elem()
	table := s.db.Table(row.Type())
	text, ok := s.inserts.Load(table)
	if !ok {
		text, _ = s.inserts.LoadOrStore(table, insertText(table))
	}
	args := []any{pgx.QueryExecModeCacheStatement}
	for _, field := range given(table) {
		args = append(args, field.Value(row).Interface())
	}
	return s.writes.QueryRow(ctx, text.(string), args...).Scan(made...) //nolint:wrapcheck // the caller translates it
}

func insertText(table *schema.Table) string {
	var names, places []string
	for i, field := range given(table) {
		names = append(names, field.Name)
		places = append(places, "$"+strconv.Itoa(i+1))
	}
	return "INSERT INTO " + string(table.SQLName) + " (" + strings.Join(names, ", ") + ") VALUES (" +
		strings.Join(places, ", ") + ") RETURNING id, created_at, updated_at, version"
}

// given are the columns that a new record has a value for.
func given(table *schema.Table) []*schema.Field {
	fields := make([]*schema.Field, 0, len(table.Fields))
	for _, field := range table.Fields {
		if !field.AutoIncrement && field.SQLDefault == "" {
			fields = append(fields, field)
		}
	}
	return fields
}
