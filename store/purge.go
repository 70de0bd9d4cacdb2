package store

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Purgeable are the rows of a table whose time to be kept is over.
type Purgeable struct {
	Table string
	Rows  int64
	// Oldest and Newest are when their retention began; zero without rows.
	Oldest, Newest time.Time
	// Reason says which rows these are.
	Reason string
}

// purge says which rows of a table go, and what else goes with them.
type purge struct {
	typ, table, alias string
	// began is the column with the beginning of the retention, and past the condition on a row.
	// ?0 is the time until which the retention has begun.
	began, past, reason string
	// lock keeps the rows with the ids ?0 as they are.
	lock string
	// lost are the accounts that lose a row of the CTE changed, as SQL.
	lost string
	// more follows the CTE changed; "" for nothing.
	more string
}

// nobody loses access to a record. All who see the patient learn that a mapping is gone.
const nobody = "NULL::bigint[]"

// careOver is the condition that no mapping of a patient is active or has ended after ?0.
func careOver(patient string) string {
	return "NOT EXISTS (SELECT FROM mappings AS o WHERE o.patient_id = " + patient + " AND (o.is_active OR o.ended_at > ?0))"
}

// purges are in the order of the foreign keys.
func purges() []purge {
	mapping := "NOT m.is_active AND m.ended_at <= ?0 AND " + careOver("m.patient_id")
	return []purge{{
		typ: "Mapping", table: "mappings", alias: "m", began: "ended_at", past: mapping,
		reason: "ended, and so have all others of the patient",
		lock:   "SELECT id FROM patients WHERE id IN (SELECT patient_id FROM mappings WHERE id = ANY (?0::bigint[])) ORDER BY id FOR UPDATE",
		lost:   nobody,
	}, {
		typ: "Patient", table: "patients", alias: "p", began: "deleted_at", past: "p.deleted_at <= ?0 AND " + careOver("p.id"),
		reason: "deleted, and all mappings have ended",
		lock:   "SELECT id FROM patients WHERE id = ANY (?0::bigint[]) ORDER BY id FOR UPDATE",
		lost:   "ARRAY[created_by]",
		more:   ", noticed AS (DELETE FROM notices WHERE patient_id IN (SELECT id FROM changed))",
	}, {
		typ: "Doctor", table: "doctors", alias: "d", began: "deleted_at",
		past:   "d.deleted_at <= ?0 AND NOT EXISTS (SELECT FROM mappings AS m WHERE m.doctor_id = d.id AND NOT (" + mapping + "))",
		reason: "deleted, and no mapping is left",
		lock:   "SELECT id FROM doctors WHERE id = ANY (?0::bigint[]) ORDER BY id FOR UPDATE",
		lost:   nobody,
	}}
}

// Purgeable returns for each table of records what Purge would remove now. It changes
// nothing. The retention of an ended mapping begins when the last mapping of its patient
// ends. That of a deleted patient or doctor entry also begins with its deletion at the
// earliest.
func (s *Store) Purgeable(ctx context.Context, keep time.Duration) ([]Purgeable, error) {
	var all []Purgeable
	for _, p := range purges() {
		found := Purgeable{Table: p.table, Reason: p.reason}
		var oldest, newest bun.NullTime
		text := "SELECT count(*), min(" + p.began + "), max(" + p.began + ") FROM " + p.table + " AS " + p.alias + " WHERE " + p.past
		if err := s.reads.db.NewRaw(text, s.now().Add(-keep)).Scan(ctx, &found.Rows, &oldest, &newest); err != nil {
			return nil, s.translate(ctx, "count the "+p.table+" to purge", err)
		}
		found.Oldest, found.Newest = oldest.Time, newest.Time
		all = append(all, found)
	}
	return all, nil
}

// Purge deletes what Purgeable returns, for good, and calls removed after each batch. The
// devices that have a row learn that it is gone. Purge can be stopped at any time; the next
// one goes on.
func (s *Store) Purge(ctx context.Context, keep time.Duration, removed func(table string, rows int64)) error {
	until := s.now().Add(-keep)
	for _, p := range purges() {
		for after := int64(0); ; {
			last, rows, err := s.purgeBatch(ctx, p, until, after)
			if err != nil {
				return err
			}
			if last == 0 {
				break
			}
			removed(p.table, rows)
			after = last
			if err := pause(ctx, sweepPause); err != nil {
				return err
			}
		}
	}
	return nil
}

// purgeBatch deletes rows after an id. It returns the last id of the batch, or 0 if there is
// none. A row that changed meanwhile, such as a restored patient, stays.
func (s *Store) purgeBatch(ctx context.Context, p purge, until time.Time, after int64) (last, rows int64, err error) {
	err = s.inTx(ctx, "purge "+p.table, func(ctx context.Context, tx bun.Tx) error {
		var ids []int64
		text := "SELECT id FROM " + p.table + " AS " + p.alias + " WHERE " + p.past + " AND id > ?1 ORDER BY id LIMIT ?2"
		if err := tx.NewRaw(text, until, after, sweepBatch).Scan(ctx, &ids); err != nil || len(ids) == 0 {
			return err
		}
		if _, err := tx.NewRaw(p.lock, array(ids)).Exec(ctx); err != nil {
			return err
		}
		last = ids[len(ids)-1]
		return tx.NewRaw(p.removing(), until, array(ids)).Scan(ctx, &rows)
	})
	return last, rows, err
}

// removing returns the statement that deletes the rows with the ids ?1 and counts them. It
// comes after the lock, so its snapshot has all that was committed before.
func (p purge) removing() string {
	return "WITH changed AS (DELETE FROM " + p.table + " AS " + p.alias + " WHERE id = ANY (?1::bigint[]) AND " + p.past +
		" RETURNING " + changedColumns(p.typ) + ", created_by)" + fed(p.typ, p.lost) + p.more + " SELECT count(*) FROM changed"
}
