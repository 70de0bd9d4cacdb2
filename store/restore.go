package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Restored describes a database that was restored from a backup.
type Restored struct {
	// Sessions is the number of sessions that were ended.
	Sessions int64
	// Patients, Doctors, Mappings and Accounts are numbers of rows, deleted ones among them.
	Patients, Doctors, Mappings, Accounts int64
	// Newest is the time of the newest change of a record; zero if there is none.
	Newest time.Time
}

// FinishRestore makes a restored copy of a database ready for servers: it renews the change
// feed, so that devices load everything again, and ends all sessions unless keepSessions is
// true, because some may have been ended after the backup.
func FinishRestore(ctx context.Context, url string, keepSessions bool) (r Restored, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return r, fmt.Errorf("finish the restore: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "UPDATE feed_state SET epoch = gen_random_uuid()"); err != nil {
			return err
		}
		if !keepSessions {
			ended, err := tx.Exec(ctx, "UPDATE sessions SET ended_at = now() WHERE ended_at IS NULL AND expires_at > now()")
			if err != nil {
				return err
			}
			r.Sessions = ended.RowsAffected()
		}
		var newest *time.Time
		err := tx.QueryRow(ctx, `SELECT (SELECT count(*) FROM patients), (SELECT count(*) FROM doctors), (SELECT count(*) FROM mappings), (SELECT count(*) FROM users),
			greatest((SELECT max(updated_at) FROM patients), (SELECT max(updated_at) FROM doctors), (SELECT max(created_at) FROM mappings), (SELECT max(created_at) FROM users))`).
			Scan(&r.Patients, &r.Doctors, &r.Mappings, &r.Accounts, &newest)
		if newest != nil {
			r.Newest = newest.UTC()
		}
		return err
	})
	if err != nil {
		return r, fmt.Errorf("finish the restore: %w", err)
	}
	return r, nil
}
