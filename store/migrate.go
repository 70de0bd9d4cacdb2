package store

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Preparation says what Prepare may do.
type Preparation struct {
	// Migrate allows changes of the schema. Otherwise an old schema is an error.
	Migrate bool
	// AdminURL is the address for these changes; empty means that of the server.
	AdminURL string
	// Log gets a line for each step. It must not be nil.
	Log *slog.Logger
}

// Prepare makes the schema of the database at the URL one that this server works on,
// and returns whether Migrate still has something to do. With nothing to do it reads
// only. An empty database gets everything; in any other one it runs no step that takes
// long, which are new indexes and backfills. It refuses a database that is newer than
// this server, unless all newer migrations say that they work with it.
func Prepare(ctx context.Context, url string, p Preparation) (complete bool, err error) {
	m := newMigrator(p.Log)
	state, err := m.inspect(ctx, url)
	if err != nil {
		return false, err
	}
	expand := slices.ContainsFunc(state.missing, migration.inTx)
	complete = len(state.pending) == 0 && !slices.ContainsFunc(state.missing, func(f migration) bool { return !f.inTx() })
	switch {
	case expand && !p.Migrate:
		return false, errors.New("the schema of the database is older than this server: run caregraph migrate first")
	case expand:
		m.expandOnly = !state.empty
		return complete || state.empty, m.run(ctx, cmp.Or(p.AdminURL, url))
	default:
		return complete, nil
	}
}

// Migrate applies everything that is missing in the database at the URL: migrations,
// then backfills, then indexes. Several processes may run it at once; they wait for
// each other. It can be stopped at any time and goes on where it was. It computes the
// keys of texts again for rows that servers of an older release have written. It needs
// PostgreSQL 13 or newer and a UTF-8 database.
func Migrate(ctx context.Context, url string, log *slog.Logger) error {
	m := newMigrator(log)
	m.repeat = true
	return m.run(ctx, url)
}

// SchemaVersion returns the newest migration that this server knows.
func SchemaVersion() string {
	entries, _ := migrationFiles.ReadDir("migrations") // fails for bad names only
	name, _, _ := strings.Cut(entries[len(entries)-1].Name(), "_")
	return name
}

// migration is one file.
type migration struct {
	name      string // date and time, its key in bun_migrations
	file      string
	text      string
	worksWith string // the newest migration that the oldest compatible server knows
}

// inTx reports whether the file runs in a transaction. The others are one statement
// that builds or drops an index while others write.
func (m migration) inTx() bool { return strings.HasSuffix(m.file, ".tx.up.sql") }

var (
	migrationFile = regexp.MustCompile(`^(\d{14})_[a-z0-9_]+\.(?:tx|notx)\.up\.sql$`)
	worksWith     = regexp.MustCompile(`(?m)\A-- .*\n-- works with: (\d{14})$`)
)

// lastUnmarked is the newest migration of version 0.1.0, whose files do not say what
// they work with.
const lastUnmarked = "20261123000000"

// readMigrations returns the migrations of a directory in their order.
func readMigrations(files fs.FS) ([]migration, error) {
	entries, err := fs.ReadDir(files, ".")
	if err != nil {
		return nil, err
	}
	var all []migration
	for _, entry := range entries {
		text, err := fs.ReadFile(files, entry.Name())
		if err != nil {
			return nil, err
		}
		name := migrationFile.FindStringSubmatch(entry.Name())
		if name == nil {
			return nil, fmt.Errorf("migration %s: the name must be date and time, words, and .tx.up.sql or .notx.up.sql", entry.Name())
		}
		m := migration{name: name[1], file: entry.Name(), text: string(text), worksWith: name[1]}
		if m.name > lastUnmarked {
			mark := worksWith.FindStringSubmatch(m.text)
			if mark == nil {
				return nil, fmt.Errorf("migration %s: the first line must be the reason, the second -- works with: and a migration", m.file)
			}
			m.worksWith = mark[1]
		}
		if n := len(all); n > 0 && all[n-1].name == m.name {
			return nil, fmt.Errorf("migrations %s and %s have the same time", all[n-1].file, m.file)
		}
		all = append(all, m)
	}
	return all, nil
}

// migrator applies migrations and backfills.
type migrator struct {
	files     fs.FS
	backfills []backfill
	log       *slog.Logger
	// expandOnly leaves out indexes and backfills.
	expandOnly bool
	// repeat runs backfills that repeat, though they are done.
	repeat bool
	// lockTimeout bounds the wait for a lock, behind which others queue up; patience
	// bounds all tries together.
	lockTimeout, firstPause, patience time.Duration

	db     *pgxpool.Pool
	holder string // of the lock, this run
}

func newMigrator(log *slog.Logger) *migrator {
	files, _ := fs.Sub(migrationFiles, "migrations") // fails for bad names only
	return &migrator{
		files: files, backfills: backfills(log), log: log,
		lockTimeout: 2 * time.Second, firstPause: time.Second, patience: 10 * time.Minute,
	}
}

// connect opens the database. It works through a pooler of transactions: it sends no
// parameters that such a pooler refuses, prepares nothing and keeps no session state.
func (m *migrator) connect(ctx context.Context, url string) error {
	to, err := connectionTo(url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	config := to.config
	config.MaxConns = 3 // the work, the lease of the lock, and who blocks
	if len(to.own.settings) > 0 {
		config.AfterConnect = to.setUp(promises{})
	}
	config.ConnConfig.RuntimeParams["application_name"] = "caregraph migrate"
	config.ConnConfig.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		// Without it PostgreSQL would go on with an index after the end of this process.
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: connectTimeout}
	}
	if m.db, err = pgxpool.NewWithConfig(ctx, config); err != nil {
		return fmt.Errorf("migrate: connect: %w", err)
	}
	return nil
}

// schemaState is what a database lacks.
type schemaState struct {
	empty   bool // no migration was applied, ever
	missing []migration
	pending []backfill
}

// inspect connects, reads the state and disconnects.
func (m *migrator) inspect(ctx context.Context, url string) (schemaState, error) {
	if err := m.connect(ctx, url); err != nil {
		return schemaState{}, err
	}
	defer m.db.Close()
	state, err := m.state(ctx)
	if err != nil {
		return schemaState{}, fmt.Errorf("migrate: %w", err)
	}
	return state, nil
}

// state reads what the database lacks. It only runs SELECT. It refuses an unknown
// migration that does not work with the newest one of this server.
func (m *migrator) state(ctx context.Context) (s schemaState, err error) {
	known, err := readMigrations(m.files)
	if err != nil {
		return s, err
	}
	if err := checkServer(ctx, m.db); err != nil {
		return s, err
	}
	applied, err := m.names(ctx, "bun_migrations", "SELECT name FROM bun_migrations")
	if err != nil {
		return s, err
	}
	newest := known[len(known)-1].name
	compatible, err := m.names(ctx, "schema_compatibility", "SELECT migration FROM schema_compatibility WHERE works_with <= $1", newest)
	if err != nil {
		return s, err
	}
	filled, err := m.names(ctx, "migration_backfills", "SELECT name FROM migration_backfills WHERE done_at IS NOT NULL")
	if err != nil {
		return s, err
	}
	for _, name := range applied {
		isKnown := slices.ContainsFunc(known, func(k migration) bool { return k.name == name })
		switch {
		case isKnown:
		case slices.Contains(compatible, name):
			m.log.InfoContext(ctx, "the schema of the database is newer than this server, and works with it", "migration", name)
		default:
			return s, fmt.Errorf("the database is newer than this server: it has the migration %s, and this server knows %s at most", name, newest)
		}
	}
	s.empty = len(applied) == 0
	s.missing = slices.DeleteFunc(known, func(k migration) bool { return slices.Contains(applied, k.name) })
	s.pending = slices.DeleteFunc(slices.Clone(m.backfills), func(b backfill) bool {
		return slices.Contains(filled, b.name) && (!m.repeat || !b.repeats)
	})
	return s, nil
}

// names returns the first column of a query of a table, none without the table.
func (m *migrator) names(ctx context.Context, table, query string, args ...any) ([]string, error) {
	var exists bool
	if err := m.db.QueryRow(ctx, "SELECT to_regclass($1) IS NOT NULL", table).Scan(&exists); err != nil || !exists {
		return nil, err
	}
	rows, err := m.db.Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

const oldestServer = 130_000

func checkServer(ctx context.Context, db *pgxpool.Pool) error {
	var version int
	var encoding string
	row := db.QueryRow(ctx, "SELECT current_setting('server_version_num')::int, getdatabaseencoding()::text")
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
