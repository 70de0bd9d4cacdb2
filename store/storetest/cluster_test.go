package storetest_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/store/storetest"
)

func TestDatabase_IsMigratedAndNobodyElses(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 20)
	t.Run("tests", func(t *testing.T) {
		for range cap(seen) {
			t.Run("one", func(t *testing.T) {
				t.Parallel()
				conn := connect(t, storetest.Database(t))
				// A commit of another test in this database would make this fail.
				exec(t, conn, "CREATE TABLE mine ()")
				if tables(t, conn) < 2 {
					t.Error("not migrated")
				}
				seen <- conn.Config().Database
			})
		}
	})
	close(seen)
	admin := connect(t, storetest.EmptyDatabase(t))
	for name := range seen {
		var left bool
		if err := admin.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&left); err != nil || left {
			t.Errorf("%s is still there: %v, %v", name, left, err)
		}
	}
}

func TestEmptyDatabase_HasNoTable(t *testing.T) {
	t.Parallel()
	if got := tables(t, connect(t, storetest.EmptyDatabase(t))); got != 0 {
		t.Errorf("%d tables", got)
	}
}

// A connection that a test does not close does not keep its database.
func TestDatabase_IsDroppedWhileInUse(t *testing.T) {
	t.Parallel()
	t.Run("forgets", func(t *testing.T) {
		exec(t, connectForever(t, storetest.EmptyDatabase(t)), "BEGIN")
	})
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn := connectForever(t, url)
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func connectForever(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func tables(t *testing.T, conn *pgx.Conn) (count int) {
	t.Helper()
	const sql = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
	if err := conn.QueryRow(t.Context(), sql).Scan(&count); err != nil {
		t.Fatal(err)
	}
	return count
}

func TestFilled_IsFilledOnceAndNobodyElses(t *testing.T) {
	t.Parallel()
	var fills atomic.Int32
	for range 3 {
		t.Run("one", func(t *testing.T) {
			t.Parallel()
			conn := connect(t, storetest.Filled(t, "filled", func(ctx context.Context, url string) error {
				fills.Add(1)
				conn, err := pgx.Connect(ctx, url)
				if err != nil {
					return err
				}
				_, err = conn.Exec(ctx, "CREATE TABLE filled AS SELECT 1")
				return errors.Join(err, conn.Close(ctx))
			}))
			exec(t, conn, "ALTER TABLE filled RENAME TO mine") // fails in a database where another test did
			if got := fills.Load(); got != 1 || tables(t, conn) < 2 {
				t.Errorf("filled %d times, %d tables", got, tables(t, conn))
			}
		})
	}
}
