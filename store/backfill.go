package store

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// backfill fills a new column of the rows that were there before it. It changes the
// rows in the order of their ids, in batches with a transaction each, and goes on
// after a stop. Set either statement or run.
type backfill struct {
	name string // its key in migration_backfills
	// statement changes at most $2 rows whose id is above $1, and returns one value:
	// the last of these ids, or null if there was none.
	statement string
	// run does the same in Go: it returns the last id that it has done, and whether
	// there are no more rows.
	run func(ctx context.Context, tx pgx.Tx, after int64) (last int64, done bool, err error)
	// repeats is set if each Migrate runs it, also after it was done, because servers of
	// an older release may have written rows since then.
	repeats bool
}

// backfills are those of all releases, in their order. A backfill must be able to run
// again over rows that are filled already.
func backfills(log *slog.Logger) []backfill {
	return append(keyBackfills(log), backfill{name: "verified_identity", run: keepVerified, repeats: true})
}

const (
	// backfillBatch is the number of rows that a batch locks.
	backfillBatch = 1_000
	// backfillPause leaves time to others after each batch.
	backfillPause = 10 * time.Millisecond
)

// batch runs the backfill for the rows after the id.
func (b backfill) batch(ctx context.Context, tx pgx.Tx, after int64) (last int64, done bool, err error) {
	if b.run != nil {
		return b.run(ctx, tx, after)
	}
	var found *int64
	if err := tx.QueryRow(ctx, b.statement, after, backfillBatch).Scan(&found); err != nil || found == nil {
		return after, err == nil, err
	}
	return *found, false, nil
}

// fill runs a backfill to its end.
func (m *migrator) fill(ctx context.Context, b backfill) error {
	for done := false; !done; {
		err := m.inTx(ctx, "backfill "+b.name, func(ctx context.Context, tx pgx.Tx) (err error) {
			var after int64
			err = tx.QueryRow(ctx, `INSERT INTO migration_backfills AS b (name, after) VALUES ($1, 0)
				ON CONFLICT (name) DO UPDATE SET after = CASE WHEN b.done_at IS NULL THEN b.after ELSE 0 END, done_at = NULL
				RETURNING after`, b.name).Scan(&after)
			if err != nil {
				return err
			}
			if after, done, err = b.batch(ctx, tx, after); err != nil {
				return err
			}
			_, err = tx.Exec(ctx, `UPDATE migration_backfills
				SET after = $2, done_at = CASE WHEN $3 THEN now() END WHERE name = $1`, b.name, after, done)
			return err
		})
		if err != nil {
			return fmt.Errorf("backfill %s: %w", b.name, err)
		}
		if err := pause(ctx, backfillPause); err != nil {
			return err
		}
	}
	return nil
}
