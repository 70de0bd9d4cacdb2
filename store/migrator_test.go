package store_test

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/internal/testutil"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store"
	"github.com/caregraph/caregraph/store/storetest"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

// logFunc is a log that calls a function with each line: message and values.
type logFunc func(line string)

func (logFunc) Enabled(context.Context, slog.Level) bool { return true }
func (f logFunc) WithAttrs([]slog.Attr) slog.Handler     { return f }
func (f logFunc) WithGroup(string) slog.Handler          { return f }
func (f logFunc) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool {
		line += " " + a.String()
		return true
	})
	f(line)
	return nil
}

func scalar[T any](t *testing.T, db *sql.DB, query string) (value T) {
	t.Helper()
	testutil.Must(t, db.QueryRowContext(t.Context(), query).Scan(&value))
	return value
}

// withParameter returns an address whose connections have a setting.
func withParameter(t *testing.T, address, name, value string) string {
	t.Helper()
	u := ok(url.Parse(address))(t)
	q := u.Query()
	q.Set(name, value)
	u.RawQuery = strings.ReplaceAll(q.Encode(), "+", "%20")
	return u.String()
}

// rowsOnly returns the address for a role that may read and write rows, and no more.
func rowsOnly(t *testing.T, address string) string {
	t.Helper()
	db, role := connect(t, address), "rows_of_"+databaseOf(t, address)
	exec(t, db, "CREATE ROLE "+role)
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		_, _ = db.ExecContext(ctx, "DROP OWNED BY "+role)
		_, _ = db.ExecContext(ctx, "DROP ROLE "+role)
	})
	exec(t, db, "REVOKE CREATE ON SCHEMA public FROM public")
	exec(t, db, "ALTER DEFAULT PRIVILEGES GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO "+role)
	exec(t, db, "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO "+role)
	return withParameter(t, address, "options", "-c role="+role)
}

func TestPrepare_CurrentSchemaNeedsRightsOnRowsOnly(t *testing.T) {
	t.Parallel()
	address := rowsOnly(t, storetest.Database(t))
	for _, mayMigrate := range []bool{true, false} {
		complete, err := store.Prepare(t.Context(), address, store.Preparation{Migrate: mayMigrate, Log: discard()})
		testutil.Equal(t, "preparing", err, nil)
		testutil.Equal(t, "complete", complete, true)
	}
	testutil.Equal(t, "migrating", migrate(t, address), nil)
	s := ok(store.Open(t.Context(), address, store.Options{Policy: storetest.Policy(t), Connections: 2}))(t)
	defer s.Close()
	user := ok(s.CreateUser(t.Context(), &model.User{Username: "asha", Email: "asha@clinic.example", Role: model.RolePatient}, "hash", nil))(t)
	testutil.Equal(t, "a new account", user.Username, "asha")
}

func TestPrepare_OldSchema(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	testutil.Must(t, store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: migrationFiles(t, released, nil), Log: discard()}))
	server := rowsOnly(t, address)
	_, err := store.Prepare(t.Context(), server, store.Preparation{Log: discard()})
	if err == nil || !strings.Contains(err.Error(), "run caregraph migrate") {
		t.Errorf("without the right to migrate: %v", err)
	}
	if _, err := store.Prepare(t.Context(), server, store.Preparation{Migrate: true, Log: discard()}); err == nil {
		t.Error("a role without rights has migrated")
	}
	complete, err := store.Prepare(t.Context(), server, store.Preparation{Migrate: true, AdminURL: address, Log: discard()})
	testutil.Equal(t, "with the address of an administrator", err, nil)
	testutil.Equal(t, "complete", complete, false) // indexes take long: not at the start of a server
	db := connect(t, address)
	testutil.Equal(t, "new columns", scalar[int](t, db, "SELECT count(*) FROM information_schema.columns WHERE column_name = 'record_number'"), 1)
	testutil.Equal(t, "new indexes", scalar[bool](t, db, "SELECT to_regclass('patients_record_number_key') IS NOT NULL"), false)
	complete, err = store.Prepare(t.Context(), server, store.Preparation{Log: discard()})
	testutil.Equal(t, "a start on the expanded schema", err, nil)
	testutil.Equal(t, "complete", complete, false)
	testutil.Must(t, migrate(t, address))
	testutil.Equal(t, "the schema", migratedShape(t, address), migratedShape(t, storetest.Database(t)))
}

// migratedShape is shape without times, which differ, and without the order of columns.
func migratedShape(t *testing.T, address string) string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(shape(t, connect(t, address))) {
		if strings.HasPrefix(line, "migration ") {
			line = strings.Join(strings.Fields(line)[:2], " ") + "\n"
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestPrepare_EmptyDatabaseGetsEverything(t *testing.T) {
	t.Parallel()
	address := storetest.EmptyDatabase(t)
	complete, err := store.Prepare(t.Context(), address, store.Preparation{Migrate: true, Log: discard()})
	testutil.Equal(t, "preparing", err, nil)
	testutil.Equal(t, "complete", complete, true)
	testutil.Equal(t, "the schema", migratedShape(t, address), migratedShape(t, storetest.Database(t)))
}

func TestPrepare_RefusesANewerDatabase(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		statement string
		refused   bool
	}{
		"unmarked":                    {"SELECT 1", true},
		"for servers that know it":    {"INSERT INTO schema_compatibility VALUES ('29990101000000', '29990101000000')", true},
		"for servers that know 2027":  {"INSERT INTO schema_compatibility VALUES ('29990101000000', '20270101000000')", true},
		"for servers of this release": {"INSERT INTO schema_compatibility VALUES ('29990101000000', '" + released + "')", false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			address := storetest.Database(t)
			db := connect(t, address)
			exec(t, db, "INSERT INTO bun_migrations (name, group_id) VALUES ('29990101000000', 99)")
			exec(t, db, c.statement)
			_, err := store.Prepare(t.Context(), address, store.Preparation{Migrate: true, Log: discard()})
			for _, err := range []error{err, migrate(t, address)} {
				refused := err != nil && strings.Contains(err.Error(), "the database is newer than this server")
				if refused != c.refused || !refused && err != nil {
					t.Errorf("refused is %v, want %v: %v", refused, c.refused, err)
				}
			}
		})
	}
}

const newIndex = "29990101000000_index.notx.up.sql"

func TestMigrate_BuildsAnIndexWhileOthersWrite(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	asha.Patient("Arjun")
	// An index has to wait for the end of an older transaction.
	older := ok(connect(t, c.URL).BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead}))(t)
	var n int
	testutil.Must(t, older.QueryRowContext(t.Context(), "SELECT count(*) FROM patients").Scan(&n))
	ctx, written := context.WithCancel(t.Context())
	migrated := make(chan error, 1)
	go func() {
		files := migrationFiles(t, all, map[string]string{
			newIndex: mark + "CREATE INDEX CONCURRENTLY IF NOT EXISTS patients_address ON patients (address);",
		})
		migrated <- store.MigrateWith(t.Context(), c.URL, store.MigrateOptions{Files: files, LockTimeout: time.Millisecond, Log: discard()})
		written()
	}()
	db := connect(t, c.URL)
	for writes := 0; ctx.Err() == nil; writes++ {
		limited, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		_, err := c.Store.CreatePatient(limited, asha.Viewer, c.NewPatient("Meera"))
		cancel()
		if err != nil {
			t.Fatalf("a write while the index is built: %v", err)
		}
		building := scalar[bool](t, db, "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass('patients_address'))")
		if building && writes > 10 {
			_ = older.Rollback() // later ones do nothing
		}
	}
	testutil.Equal(t, "migrating", <-migrated, nil)
	testutil.Equal(t, "valid", scalar[bool](t, db, "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('patients_address')"), true)
}

func TestMigrate_BuildsAnInvalidIndexAgain(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	asha.Patient("Arjun")
	twin := asha.Patient("Arjun")
	o := store.MigrateOptions{Log: discard(), Files: migrationFiles(t, all, map[string]string{
		newIndex: mark + "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS patients_one_name ON patients (name);",
	})}
	if err := store.MigrateWith(t.Context(), c.URL, o); err == nil || !strings.Contains(err.Error(), newIndex) {
		t.Fatalf("with two equal names: %v", err)
	}
	db := connect(t, c.URL)
	const valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('patients_one_name')"
	testutil.Equal(t, "valid before", scalar[bool](t, db, valid), false)
	c.Exec("UPDATE patients SET name = 'Meera' WHERE id = ?", twin.ID)
	testutil.Equal(t, "migrating again", store.MigrateWith(t.Context(), c.URL, o), nil)
	testutil.Equal(t, "valid after", scalar[bool](t, db, valid), true)
}

// A migration that waits for a table makes all later statements wait behind it. So it
// gives up soon, says who has the table, and tries again.
func TestMigrate_GivesWayAndNamesTheBlocker(t *testing.T) {
	t.Parallel()
	address := storetest.Database(t)
	reader := ok(connect(t, withParameter(t, address, "application_name", "night report")).BeginTx(t.Context(), nil))(t)
	var n int
	testutil.Must(t, reader.QueryRowContext(t.Context(), "SELECT count(*) FROM patients WHERE name <> 'canary'").Scan(&n))
	var lines []string
	tries := 0
	log := slog.New(logFunc(func(line string) {
		lines = append(lines, line)
		if strings.Contains(line, "tries again") {
			if tries++; tries == 2 {
				_ = reader.Rollback()
			}
		}
	}))
	files := migrationFiles(t, all, map[string]string{"29990101000000_column.tx.up.sql": mark + "ALTER TABLE patients ADD COLUMN note text;"})
	testutil.Equal(t, "migrating", store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: files, LockTimeout: 200 * time.Millisecond, Log: log}), nil)
	logged := strings.Join(lines, "\n")
	testutil.Equal(t, "tries in vain", tries, 2)
	for _, want := range []string{"night report", "blocker=", "transaction_age="} {
		if !strings.Contains(logged, want) {
			t.Errorf("no %s in\n%s", want, logged)
		}
	}
	if strings.Contains(logged, "canary") {
		t.Errorf("the text of a statement was logged:\n%s", logged)
	}
}

func TestMigrate_BackfillsInBatchesAndGoesOn(t *testing.T) {
	t.Parallel()
	c := storetest.New(t)
	asha := c.Owner("Asha")
	c.Exec(`INSERT INTO patients (name, date_of_birth, gender, phone, address, emergency_contact, created_by)
		SELECT 'P' || n, '1990-01-01', 'MALE', '+91', 'here', '+91', ? FROM generate_series(1, 2500) AS n`, asha.UserID)
	var seen []int64
	failing := true
	o := store.MigrateOptions{Log: discard(), Backfills: []store.Backfill{{
		Name: "addresses",
		Statement: `WITH batch AS (SELECT id FROM patients WHERE id > $1 ORDER BY id LIMIT $2),
			filled AS (UPDATE patients SET address = 'there' FROM batch WHERE patients.id = batch.id) SELECT max(id) FROM batch`,
	}, {
		Name: "in_go",
		Run: func(ctx context.Context, tx pgx.Tx, after int64) (last int64, done bool, err error) {
			seen = append(seen, after)
			if _, err := tx.Exec(ctx, "UPDATE patients SET emergency_contact = 'filled' WHERE id > $1 AND id <= $1 + 1000", after); err != nil {
				return 0, false, err
			}
			if failing && after > 0 {
				return 0, false, errors.New("the power is gone")
			}
			return after + 1000, after >= 2000, nil
		},
	}}}
	if err := store.MigrateWith(t.Context(), c.URL, o); err == nil || !strings.Contains(err.Error(), "the power is gone") {
		t.Fatalf("error is %v", err)
	}
	db := connect(t, c.URL)
	testutil.Equal(t, "filled in SQL", scalar[int](t, db, "SELECT count(*) FROM patients WHERE address = 'there'"), 2500)
	testutil.Equal(t, "filled before the failure", scalar[int](t, db, "SELECT count(*) FROM patients WHERE emergency_contact = 'filled'"), 1000)
	c.Exec("UPDATE patients SET address = 'home' WHERE id = 1")
	failing = false
	testutil.Equal(t, "going on", store.MigrateWith(t.Context(), c.URL, o), nil)
	testutil.Equal(t, "batches", len(seen), 4) // 0, the failed one, the same again, 2000
	testutil.Equal(t, "the batch after the failure", slices.Equal(seen, []int64{0, 1000, 1000, 2000}), true)
	testutil.Equal(t, "filled in Go", scalar[int](t, db, "SELECT count(*) FROM patients WHERE emergency_contact = 'filled'"), 2500)
	testutil.Equal(t, "run once", scalar[int](t, db, "SELECT count(*) FROM patients WHERE address = 'there'"), 2499)
}

// oneColumn is a migration that is missing in the databases of tests.
var oneColumn = map[string]string{"29990101000000_column.tx.up.sql": mark + "ALTER TABLE patients ADD COLUMN note text;"}

func TestMigrate_WaitsForTheHolderOfTheLock(t *testing.T) {
	t.Parallel()
	address := storetest.Database(t)
	db := connect(t, address)
	exec(t, db, "INSERT INTO migration_lock VALUES (true, 'other', now() + interval '1 hour')")
	waited := false
	log := slog.New(logFunc(func(line string) {
		if strings.Contains(line, "another process migrates") {
			waited = true
			exec(t, db, "DELETE FROM migration_lock")
		}
	}))
	testutil.Equal(t, "migrating", store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: migrationFiles(t, all, oneColumn), Log: log}), nil)
	testutil.Equal(t, "waited", waited, true)
	testutil.Equal(t, "locks left", scalar[int](t, db, "SELECT count(*) FROM migration_lock"), 0)
}

func TestMigrate_TakesTheLockOfADeadProcess(t *testing.T) {
	t.Parallel()
	address := storetest.Database(t)
	exec(t, connect(t, address), "INSERT INTO migration_lock VALUES (true, 'dead', now() - interval '1 second')")
	testutil.Equal(t, "migrating", store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: migrationFiles(t, all, oneColumn), Log: discard()}), nil)
}

func TestMigrate_StopsWhenTheLockIsLost(t *testing.T) {
	t.Parallel()
	address := storetest.Database(t)
	db := connect(t, address)
	log := slog.New(logFunc(func(line string) {
		if strings.Contains(line, "migrated") {
			exec(t, db, "UPDATE migration_lock SET holder = 'other'")
		}
	}))
	files := migrationFiles(t, all, oneColumn)
	files["29990101000001_table.tx.up.sql"] = &fstest.MapFile{Data: []byte(mark + "CREATE TABLE notes (id bigint);")}
	err := store.MigrateWith(t.Context(), address, store.MigrateOptions{Files: files, Log: log})
	if err == nil || !strings.Contains(err.Error(), "another process has taken over") {
		t.Errorf("error is %v", err)
	}
	testutil.Equal(t, "the step after the loss", scalar[bool](t, db, "SELECT to_regclass('notes') IS NULL"), true)
	testutil.Equal(t, "the other's lock", scalar[int](t, db, "SELECT count(*) FROM migration_lock WHERE holder = 'other'"), 1)
}

func TestBackfills_HaveNamesOfTheirOwn(t *testing.T) {
	t.Parallel()
	names := store.Backfills()
	slices.Sort(names)
	testutil.Equal(t, "names", len(slices.Compact(slices.Clone(names))), len(names))
}
