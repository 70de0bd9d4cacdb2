package main

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed data.sql
var dataSQL string

// deleteSQL deletes one patient in a hundred, which ends its mappings.
const deleteSQL = `UPDATE patients SET deleted_at = created_at + interval '400 days' WHERE pg_temp.mix(id, 30) % 100 = 0;
	UPDATE mappings AS m SET is_active = false, ended_at = p.deleted_at
	FROM patients AS p WHERE p.id = m.patient_id AND p.deleted_at IS NOT NULL AND m.is_active`

// fill inserts the records into a migrated database. It creates the indexes
// afterwards and does not check foreign keys, which is several times as fast.
func fill(ctx context.Context, db *pgx.Conn, w *dataset) error {
	if err := insertOwners(ctx, db, w); err != nil {
		return err
	}
	for _, setting := range []string{
		"session_replication_role = replica", "synchronous_commit = off", "maintenance_work_mem = '512MB'", "work_mem = '64MB'",
	} {
		if _, err := db.Exec(ctx, "SET "+setting); err != nil {
			return err
		}
	}
	remake, err := dropIndexes(ctx, db)
	if err != nil {
		return err
	}
	values := strings.NewReplacer(":patients", strconv.Itoa(w.size.patients), ":doctor", strconv.FormatInt(w.carer.id, 10))
	data := []string{values.Replace(dataSQL)}
	if w.size.deleted {
		data = append(data, deleteSQL)
	}
	for _, sql := range append(data, remake...) {
		if _, err := db.Exec(ctx, sql); err != nil {
			return fmt.Errorf("fill the database: %w", err)
		}
	}
	for _, sql := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := db.Exec(ctx, sql); err != nil {
			return err
		}
	}
	return nil
}

// insertOwners spreads the patients of the measured accounts evenly over the
// table, as if they had been created over the years.
func insertOwners(ctx context.Context, db *pgx.Conn, w *dataset) error {
	if _, err := db.Exec(ctx, "CREATE TEMP TABLE bench_owners (patient bigint PRIMARY KEY, owner bigint)"); err != nil {
		return err
	}
	for i, o := range w.owners {
		// Every step is a multiple of ten, so no two owners share a patient.
		step := w.size.patients / o.patients
		_, err := db.Exec(ctx, "INSERT INTO bench_owners SELECT $1::bigint + 1 + n * $2::bigint, $3 FROM generate_series(0, $4 - 1) AS n",
			i, step, o.id, o.patients)
		if err != nil {
			return fmt.Errorf("insert the owners: %w", err)
		}
	}
	return nil
}

// dropIndexes drops the indexes of the large tables except for primary keys,
// and returns the statements that create them again.
func dropIndexes(ctx context.Context, db *pgx.Conn) (remake []string, err error) {
	rows, err := db.Query(ctx, `SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
		WHERE indrelid IN ('patients'::regclass, 'mappings'::regclass) AND NOT indisprimary`)
	if err != nil {
		return nil, err
	}
	var drop []string
	var name, definition string
	_, err = pgx.ForEachRow(rows, []any{&name, &definition}, func() error {
		drop, remake = append(drop, "DROP INDEX "+name), append(remake, definition)
		return nil
	})
	if err != nil {
		return nil, err
	}
	_, err = db.Exec(ctx, strings.Join(drop, "; "))
	return remake, err
}

// patientsOf returns the ids of an account's patients.
func patientsOf(ctx context.Context, db *pgx.Conn, owner int64) ([]int64, error) {
	rows, err := db.Query(ctx, "SELECT id FROM patients WHERE created_by = $1 ORDER BY id", owner)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}
