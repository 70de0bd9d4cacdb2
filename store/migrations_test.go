package store_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

// migrationFiles returns the server's migrations up to one, and more.
func migrationFiles(t *testing.T, upTo string, more map[string]string) fstest.MapFS {
	t.Helper()
	files := fstest.MapFS{}
	for _, entry := range ok(os.ReadDir("migrations"))(t) {
		if entry.Name()[:len(upTo)] <= upTo {
			files[entry.Name()] = &fstest.MapFile{Data: ok(os.ReadFile("migrations/" + entry.Name()))(t)}
		}
	}
	for name, text := range more {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// all is later than every migration of the server, and released the last one of 0.1.0.
const all, released = "2999", "20261123000000"

const mark = "-- A reason.\n-- works with: " + released + "\n"

func TestMigrations_SayWhatTheyWorkWith(t *testing.T) {
	t.Parallel()
	testutil.Equal(t, "the files of the server", store.CheckMigrations(migrationFiles(t, all, nil)), nil)
	for name, text := range map[string]string{
		"29990101000000_x.tx.up.sql":        "SELECT 1;",
		"29990101000001_x.tx.up.sql":        "-- works with: " + released + "\nSELECT 1;",
		"29990101000002_x.tx.up.sql":        "-- A reason.\n-- in two lines.\n-- works with: " + released + "\nSELECT 1;",
		"29990101000003_x.tx.up.sql":        "-- A reason.\n-- works with: 20261123\nSELECT 1;",
		"29990101000004_x.tx.up.sql":        "-- A reason.\n-- works with: 20261123000001\nSELECT 1;",
		"29990101000005_x.tx.up.sql":        "-- A reason.\n-- works with: 29990101000006\nSELECT 1;",
		"29990101000006_x.up.sql":           mark + "SELECT 1;",
		"299901010000_x.tx.up.sql":          mark + "SELECT 1;",
		"20261123000000_the_same.tx.up.sql": mark + "SELECT 1;",
		"29990101000007_x.notx.up.sql":      mark + "CREATE INDEX x ON patients (name);",
		"29990101000008_x.notx.up.sql":      mark + "CREATE INDEX CONCURRENTLY x ON patients (name);",
		"29990101000009_x.notx.up.sql":      mark + "CREATE INDEX CONCURRENTLY IF NOT EXISTS x ON patients (name);\nSELECT 1;",
	} {
		if err := store.CheckMigrations(migrationFiles(t, all, map[string]string{name: text})); err == nil {
			t.Errorf("no error for %s:\n%s", name, text)
		}
	}
	for name, text := range map[string]string{
		"29990101000000_x.tx.up.sql":   mark + "SELECT 1; SELECT 2;",
		"29990101000001_x.notx.up.sql": mark + "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS x ON patients (name);",
		"29990101000002_x.notx.up.sql": mark + "DROP INDEX CONCURRENTLY IF EXISTS x;",
	} {
		testutil.Equal(t, name, store.CheckMigrations(migrationFiles(t, all, map[string]string{name: text})), nil)
	}
}

// largeTables is the state that a migration in a transaction must leave as it is: a new
// file of a table means that PostgreSQL has copied it, and a new index that it has read
// all of it, both while no one could write.
func largeTables(t *testing.T, address string) string {
	t.Helper()
	return scalar[string](t, connect(t, address), `SELECT string_agg(part, E'\n' ORDER BY part) FROM (
		SELECT relname || ' in file ' || pg_relation_filenode(oid) AS part FROM pg_class WHERE relname IN ('patients', 'mappings', 'doctors', 'users', 'sessions')
		UNION ALL SELECT indexname FROM pg_indexes WHERE tablename IN ('patients', 'mappings', 'doctors', 'users', 'sessions')) AS parts`)
}

func TestMigrations_InATransactionAreShort(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	testutil.Must(t, store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: migrationFiles(t, released, nil), Log: discard()}))
	before := largeTables(t, address)
	inTx := migrationFiles(t, all, nil)
	for name, file := range inTx {
		if strings.Contains(name, ".notx.") {
			delete(inTx, name)
		}
		text := string(file.Data)
		if name[:14] > released && strings.Contains(text, "ALTER TABLE") && strings.Contains(text, " CHECK ") && !strings.Contains(text, "NOT VALID") {
			t.Errorf("%s checks all rows of the table: add NOT VALID", name)
		}
	}
	testutil.Must(t, store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: inTx, Log: discard()}))
	testutil.Equal(t, "tables and indexes", largeTables(t, address), before)
}

// columns returns what a server of an older release relies on.
func columns(t *testing.T, address string) []string {
	t.Helper()
	return strings.Split(scalar[string](t, connect(t, address), `SELECT string_agg(part, E'\n') FROM (
		SELECT table_name || '.' || column_name || ' ' || data_type ||
			CASE WHEN is_nullable = 'NO' AND column_default IS NULL AND identity_generation IS NULL AND generation_expression IS NULL THEN ' required' ELSE '' END AS part
		FROM information_schema.columns WHERE table_schema = 'public'
		UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '% UNIQUE %') AS parts`), "\n")
}

// Servers of version 0.1.0 run on the newest schema while they are replaced, so it has
// all that theirs had, and requires no column that they do not know.
func TestMigrations_OnlyExpandTheReleasedSchema(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	testutil.Must(t, store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: migrationFiles(t, released, nil), Log: discard()}))
	old, current := columns(t, address), columns(t, storetest.Database(t))
	for _, part := range old {
		if !slices.Contains(current, part) {
			t.Errorf("missing: %s", part)
		}
	}
	for _, part := range current {
		table, _, _ := strings.Cut(part, ".")
		known := slices.ContainsFunc(old, func(o string) bool { return strings.HasPrefix(o, table+".") })
		if known && strings.HasSuffix(part, " required") && !slices.Contains(old, part) {
			t.Errorf("version 0.1.0 does not set %s", part)
		}
	}
}
