package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/migrate"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrationLock is the key of the advisory lock of a migration: "care" in ASCII.
const migrationLock = 0x63617265

// lockTimeout bounds the wait for another migration and for tables in use.
const lockTimeout = "5min"

// Migrate applies the missing migrations to the database at the URL. Several
// processes may run it at once; they wait for each other. It needs PostgreSQL 13 or
// newer, a UTF-8 database and a direct connection (no transaction pooler).
func Migrate(ctx context.Context, url string) (err error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return errors.New("migrate: the database URL cannot be read")
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol // a file is many statements
	config.ConnectTimeout = connectTimeout
	config.RuntimeParams["lock_timeout"] = lockTimeout
	config.RuntimeParams["client_encoding"] = "UTF8" // otherwise checkServer cannot query
	sqldb := stdlib.OpenDB(*config)
	sqldb.SetMaxOpenConns(2) // one holds the lock, the other migrates
	db := bun.NewDB(sqldb, pgdialect.New())
	defer func() { err = errors.Join(err, db.Close()) }()

	lock, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("migrate: connect: %w", err)
	}
	defer func() { _ = lock.Close() }()
	if _, err := lock.ExecContext(ctx, "SELECT pg_advisory_lock(?)", migrationLock); err != nil {
		return fmt.Errorf("migrate: lock: %w", err)
	}
	if err := checkServer(ctx, lock); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return runMigrations(ctx, db)
}

func runMigrations(ctx context.Context, db *bun.DB) error {
	files, err := fs.Sub(migrationFiles, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	migrations := migrate.NewMigrations()
	if err := migrations.Discover(files); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	migrator := migrate.NewMigrator(db, migrations, migrate.WithMarkAppliedOnSuccess(true))
	if err := migrator.Init(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if _, err := migrator.Migrate(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

const oldestServer = 130_000

func checkServer(ctx context.Context, db bun.IConn) error {
	var version int
	var encoding string
	row := db.QueryRowContext(ctx, "SELECT current_setting('server_version_num')::int, getdatabaseencoding()")
	if err := row.Scan(&version, &encoding); err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	if version < oldestServer {
		return fmt.Errorf("PostgreSQL 13 or newer is needed, this is %d", version/10_000)
	}
	if encoding != "UTF8" {
		return fmt.Errorf("a database in UTF8 is needed, this one is in %s", encoding)
	}
	return nil
}
