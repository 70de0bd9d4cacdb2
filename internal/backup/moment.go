package backup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// connect opens a connection on which no timeout of the URL ends a long statement.
func connect(ctx context.Context, url string) (*pgx.Conn, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the database URL cannot be read") // its text may hold a password
	}
	config.RuntimeParams["application_name"] = "caregraph backup"
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("reach the database: %w", err)
	}
	_, err = conn.Exec(ctx, "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0", pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

func closeConn(ctx context.Context, conn *pgx.Conn) { _ = conn.Close(context.WithoutCancel(ctx)) }

// tables returns the tables whose rows a crash does not lose, as SQL writes them.
func tables(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, `SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND n.nspname = 'public' ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err == nil && len(names) == 0 {
		err = errors.New("the database has no tables: caregraph has never used it")
	}
	return names, err
}

// countRows returns the number of rows of each table, from the snapshot of the
// connection's transaction if it has one.
func countRows(ctx context.Context, conn *pgx.Conn, names []string) (map[string]int64, error) {
	counts := make(map[string]int64, len(names))
	for _, name := range names {
		var n int64
		if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+name).Scan(&n); err != nil {
			return nil, fmt.Errorf("count %s: %w", name, err)
		}
		counts[name] = n
	}
	return counts, nil
}

const (
	// lockPatience bounds all tries together to find a moment without a write.
	lockPatience = 2 * time.Minute
	lockPause    = 100 * time.Millisecond
)

// atOneMoment creates the restore point, and begins a transaction on reader whose
// snapshot is exactly what the database is at the restore point. For that it keeps others
// from writing for some milliseconds. Where a writer takes longer, it gives way after half
// a second and tries again. PostgreSQL never ends a writer because of it: this session looks
// for deadlocks first, and then it is the one that ends.
func atOneMoment(ctx context.Context, conn, reader *pgx.Conn, names []string, point string) error {
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		err := tryMoment(ctx, conn, reader, names, point)
		refused, ok := errors.AsType[*pgconn.PgError](err)
		if !ok || refused.Code != "55P03" && refused.Code != "40P01" { // no lock, deadlock
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("find a moment without a write: %w", err)
		case <-time.After(lockPause):
		}
	}
}

func tryMoment(ctx context.Context, conn, reader *pgx.Conn, names []string, point string) error {
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "SET LOCAL lock_timeout = '500ms'; SET LOCAL deadlock_timeout = '50ms'; LOCK TABLE "+
			strings.Join(names, ", ")+" IN SHARE MODE", pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			return err
		}
		if err := beginSnapshot(ctx, reader); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, "SELECT pg_create_restore_point($1)", point)
		return err
	})
}

// beginSnapshot begins a transaction that sees one moment.
func beginSnapshot(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT pg_current_snapshot()", pgx.QueryExecModeSimpleProtocol)
	return err
}

// describe fills in what the database says about itself.
func (m *Manifest) describe(ctx context.Context, conn *pgx.Conn) error {
	var isCareGraph bool
	err := conn.QueryRow(ctx, `SELECT current_setting('server_version'), current_setting('server_version_num')::int / 10000,
		to_regclass('bun_migrations') IS NOT NULL AND to_regclass('feed_state') IS NOT NULL`).Scan(&m.PostgreSQL, &m.Major, &isCareGraph)
	if err != nil {
		return err
	}
	if !isCareGraph {
		return errors.New("the database has no schema of this version: run caregraph migrate first")
	}
	if err := conn.QueryRow(ctx, "SELECT max(name) FROM bun_migrations").Scan(&m.Schema); err != nil {
		return err
	}
	// Managed services may hide it.
	if err := conn.QueryRow(ctx, "SELECT system_identifier::text FROM pg_control_system()").Scan(&m.System); err != nil {
		m.System = ""
	}
	return nil
}
