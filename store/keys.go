package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// Names are compared by what model.Fold makes of them. The columns that the database
// generates with its function fold hold the same for nearly all of them; a column whose
// name ends in _fold has the others.
const (
	patientNameFold    = "coalesce(patient.name_fold, patient.name_key)"
	doctorNameFold     = "coalesce(doctor.name_fold, doctor.name_key)"
	specializationFold = "coalesce(doctor.specialization_fold, doctor.specialization_key)"
	usernameOrder      = `(lower("user".username) COLLATE "C")`
	accountSearch      = `coalesce("user".search_fold, fold("user".username || ' ' || "user".email || ' ' || coalesce("user".phone, '')))`
)

// patientSearchKey returns the folded texts of a patient. In version 0.1.0 the generated
// column had no record number.
func patientSearchKey(texts ...string) *string {
	if number := texts[len(texts)-1]; number == "" {
		return model.FoldKey(texts[:len(texts)-1]...)
	}
	return new(model.FoldAll(texts...))
}

func usernameKey(texts ...string) *string { return new(model.UsernameKey(texts[0])) }

func licenseKey(texts ...string) *string { return new(model.LicenseKey(texts[0])) }

func emailKey(texts ...string) *string { return model.EmailAddress(texts[0]).Key() }

// keyBackfills write the keys of rows that version 0.1.0 has written. They may run
// again: a row that has its keys stays as it is. Of several rows with one unique key
// only the first keeps it. The others have a null key, which the log names by their id,
// until someone changes the field.
func keyBackfills(log *slog.Logger) (all []backfill) {
	for _, t := range records(nil) {
		if len(t.Keys) == 0 {
			continue
		}
		w := &keyWriter{t: t, log: log}
		all = append(all, backfill{name: t.Table + "_keys", run: w.batch, repeats: true},
			backfill{name: t.Table + "_unique_keys", run: w.dropDuplicates, repeats: true})
	}
	return all
}

// keyWriter writes the keys of one record type.
type keyWriter struct {
	t   query.RecordType
	log *slog.Logger
}

// keyedRow is a row as JSON: its id, its version and its keys.
type keyedRow map[string]any

// batch writes the keys of the next rows whose id is above after.
func (w *keyWriter) batch(ctx context.Context, tx pgx.Tx, after int64) (last int64, done bool, err error) {
	columns := w.columns()
	found, err := tx.Query(ctx, "SELECT id, xmin::text, "+strings.Join(columns, ", ")+" FROM "+w.t.Table+
		" WHERE id > $1 ORDER BY id LIMIT $2", after, backfillBatch)
	if err != nil {
		return after, false, err
	}
	rows, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (keyedRow, error) { return w.row(row, columns) })
	if err != nil || len(rows) == 0 {
		return after, err == nil, err
	}
	last = rows[len(rows)-1]["id"].(int64)
	if err := w.write(ctx, tx, rows); !isDuplicate(err) {
		return last, false, err
	}
	for _, row := range rows {
		if err := w.writeOne(ctx, tx, row); err != nil {
			return after, false, err
		}
	}
	return last, false, nil
}

// columns returns the columns of the texts that the keys are made of.
func (w *keyWriter) columns() []string {
	all := map[string]bool{}
	for _, k := range w.t.Keys {
		for _, column := range k.From {
			all[column] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

func (w *keyWriter) row(found pgx.CollectableRow, columns []string) (keyedRow, error) {
	var id int64
	var version string
	texts := make([]*string, len(columns))
	into := []any{&id, &version}
	for i := range texts {
		into = append(into, &texts[i])
	}
	if err := found.Scan(into...); err != nil {
		return nil, err
	}
	row := keyedRow{"id": id, "version": version}
	for _, k := range w.t.Keys {
		of := make([]string, len(k.From))
		for i, column := range k.From {
			of[i] = orZero(texts[slices.Index(columns, column)])
		}
		row[k.Column] = k.Of(of...)
	}
	return row, nil
}

// write writes the keys of rows that have other ones and that no one has changed since
// they were read. A savepoint keeps the transaction usable after an error.
func (w *keyWriter) write(ctx context.Context, tx pgx.Tx, rows []keyedRow) error {
	var set, types, differs []string
	for _, k := range w.t.Keys {
		set = append(set, k.Column+" = new."+k.Column)
		types = append(types, k.Column+" text")
		differs = append(differs, "old."+k.Column+` COLLATE "C" IS DISTINCT FROM new.`+k.Column+` COLLATE "C"`)
	}
	values, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, tx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "UPDATE "+w.t.Table+" AS old SET "+strings.Join(set, ", ")+
			" FROM json_to_recordset($1::json) AS new (id bigint, version text, "+strings.Join(types, ", ")+
			") WHERE old.id = new.id AND old.xmin::text = new.version AND ("+strings.Join(differs, " OR ")+")", string(values))
		return err
	})
}

// writeOne writes the keys of one row, without those that another row has.
func (w *keyWriter) writeOne(ctx context.Context, tx pgx.Tx, row keyedRow) error {
	for {
		err := w.write(ctx, tx, []keyedRow{row})
		if !isDuplicate(err) {
			return err
		}
		index := constraintOf(err)
		key := slices.IndexFunc(w.t.Keys, func(k query.TextKey) bool { return k.Index == index })
		if key < 0 || row[w.t.Keys[key].Column] == (*string)(nil) {
			return fmt.Errorf("keys of %s: unique index %s", w.t.Table, index)
		}
		row[w.t.Keys[key].Column] = (*string)(nil)
		w.logDuplicate(ctx, w.t.Keys[key], row["id"].(int64))
	}
}

// dropDuplicates makes the later ones of equal keys null, so that a unique index can be
// built.
func (w *keyWriter) dropDuplicates(ctx context.Context, tx pgx.Tx, after int64) (int64, bool, error) {
	for _, k := range w.t.Keys {
		if k.Index == "" {
			continue
		}
		by, live := k.Column, "TRUE"
		if k.Within != "" {
			by = k.Within + ", " + by
		}
		if w.t.Live != "" {
			live = w.t.Live
		}
		found, err := tx.Query(ctx, "UPDATE "+w.t.Table+" AS changed SET "+k.Column+" = NULL FROM (SELECT id, row_number() OVER (PARTITION BY "+by+
			" ORDER BY id) AS place FROM "+w.t.Table+" AS "+w.t.Alias+" WHERE "+k.Column+" IS NOT NULL AND "+live+
			") AS equal WHERE equal.id = changed.id AND equal.place > 1 RETURNING changed.id")
		if err != nil {
			return after, false, err
		}
		ids, err := pgx.CollectRows(found, pgx.RowTo[int64])
		if err != nil {
			return after, false, err
		}
		for _, id := range ids {
			w.logDuplicate(ctx, k, id)
		}
	}
	return after, true, nil
}

// logDuplicate logs ids only: the texts are personal data.
func (w *keyWriter) logDuplicate(ctx context.Context, k query.TextKey, id int64) {
	w.log.WarnContext(ctx, "another record has the same value in another form; both stay", "record", model.ID{Kind: w.t.Kind, Num: id}.String(), "column", k.Column)
}

func isDuplicate(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && pgErr.Code == uniqueViolation
}

func constraintOf(err error) string {
	if pgErr, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pgErr.ConstraintName
	}
	return ""
}
