package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// migrate applies all migrations without a log.
func migrate(t *testing.T, address string) error {
	t.Helper()
	return store.Migrate(t.Context(), address, slog.New(slog.DiscardHandler))
}

// connect opens a database without rules.
func connect(t *testing.T, address string) *sql.DB {
	t.Helper()
	config := ok(pgx.ParseConfig(address))(t)
	db := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func exec(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// shape returns the columns, indexes and applied migrations of a database as a text.
func shape(t *testing.T, db *sql.DB) string {
	t.Helper()
	var text string
	err := db.QueryRowContext(t.Context(), `SELECT string_agg(part, E'\n' ORDER BY part) FROM (
		SELECT table_name || '.' || column_name || ' ' || data_type AS part FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
		UNION ALL SELECT 'migration ' || name || ' ' || migrated_at FROM bun_migrations) AS parts`).Scan(&text)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestMigrate_TwiceIsOnce(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	testutil.Equal(t, "the first", migrate(t, address), nil)
	first := shape(t, connect(t, address))
	testutil.Equal(t, "the second", migrate(t, address), nil)
	testutil.Equal(t, "the database", shape(t, connect(t, address)), first)
}

func TestMigrate_SeveralAtOnceWaitForEachOther(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	errs := concurrently(6, func(int) error { return migrate(t, address) })
	for _, err := range errs {
		testutil.Equal(t, "migrating", err, nil)
	}
	files := ok(os.ReadDir("migrations"))(t)
	testutil.Equal(t, "applied migrations", strings.Count(shape(t, connect(t, address)), "migration 20"), len(files))
}

func TestMigrate_FailsWhole(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	db := connect(t, address)
	exec(t, db, "CREATE TABLE mappings (id int)") // the last table is in the way
	if err := migrate(t, address); err == nil || !strings.HasPrefix(err.Error(), "migrate: ") {
		t.Fatalf("error is %v", err)
	}
	var left int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_tables WHERE tablename IN ('users', 'patients')").Scan(&left); err != nil {
		t.Fatal(err)
	}
	testutil.Equal(t, "tables left behind", left, 0)
	exec(t, db, "DROP TABLE mappings")
	testutil.Equal(t, "migrating without it", migrate(t, address), nil)
}

func TestMigrate_RefusesAnOldServer(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	db := connect(t, address)
	exec(t, db, `CREATE FUNCTION public.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT '120022' $$`)
	exec(t, db, `ALTER DATABASE `+databaseOf(t, address)+` SET search_path = public, pg_catalog`)
	err := migrate(t, address)
	if err == nil || err.Error() != "migrate: PostgreSQL 13 or newer is needed, this is 12" {
		t.Errorf("error is %v", err)
	}
}

func TestMigrate_RefusesADatabaseThatIsNotInUTF8(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	db := connect(t, address)
	name := databaseOf(t, address) + "_ascii"
	exec(t, db, "CREATE DATABASE "+name+" ENCODING 'SQL_ASCII' TEMPLATE template0")
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() { _, _ = db.ExecContext(ctx, "DROP DATABASE "+name+" WITH (FORCE)") })
	u := ok(url.Parse(address))(t)
	u.Path = "/" + name
	err := migrate(t, u.String())
	if err == nil || err.Error() != "migrate: a database in UTF8 is needed, this one is in SQL_ASCII" {
		t.Errorf("error is %v", err)
	}
}

func databaseOf(t *testing.T, address string) string {
	t.Helper()
	return strings.TrimPrefix(ok(url.Parse(address))(t).Path, "/")
}

// concurrently runs f for 0 to n-1 at the same time and returns all errors.
func concurrently(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	all.Wait()
	return errs
}

// TestMigrate_LogsOneLineForAnEmptyDatabase, and on an upgrade one for each step.
func TestMigrate_LogsOneLineForAnEmptyDatabase(t *testing.T) {
	t.Parallel()
	lines := func(address string, level slog.Level) []string {
		var log strings.Builder
		handler := slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level})
		testutil.Must(t, store.Migrate(t.Context(), address, slog.New(handler)))
		return strings.Split(strings.TrimSpace(log.String()), "\n")
	}
	files := len(migrationFiles(t, all, nil))
	first := lines(storetest.EmptyDatabase(t), slog.LevelInfo)
	if want := fmt.Sprintf(`msg="migrated an empty database" migrations=%d duration=`, files); len(first) != 1 || !strings.Contains(first[0], want) {
		t.Errorf("an empty database logs %q, want one line with %s", first, want)
	}
	testutil.Equal(t, "lines at debug", len(lines(storetest.EmptyDatabase(t), slog.LevelDebug)), files+len(store.Backfills())+1)

	old := storetest.EmptyDatabase(t)
	testutil.Must(t, store.MigrateWith(t.Context(), old, store.MigrateOptions{Files: migrationFiles(t, released, nil), Log: discard()}))
	missing := files - len(migrationFiles(t, released, nil)) + len(store.Backfills())
	testutil.Equal(t, "lines of an upgrade", len(lines(old, slog.LevelInfo)), missing)
}
