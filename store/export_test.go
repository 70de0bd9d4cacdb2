package store

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/uptrace/bun"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/model"
	"github.com/caregraph/caregraph/store/query"
)

// Constraints is for the test that every unique index has an error.
var Constraints = uniqueError

// Bounded is for the test of requests that share a round trip.
func Bounded(s *Store, v *model.Viewer, loads []*query.Load) bool {
	return (&query.Request{Loads: loads}).Bounded(s.sessions.OwnDoctor(v.SessionID))
}

// Translate is for errors of the driver that a test cannot cause.
func Translate(ctx context.Context, s *Store, err error) error { return s.translate(ctx, "x", err) }

// Reads returns the pool for reads.
func Reads(s *Store) *pgpipe.Pool { return s.reads.Pool }

// Setting returns a setting of PostgreSQL in a read, or in a transaction that writes
// and in a pipeline that writes.
func Setting(ctx context.Context, s *Store, name string, writes bool) (value string, err error) {
	pool := s.reads
	if writes {
		pool = s.writes
	}
	st := pgpipe.NewStatement("SELECT current_setting($1)", []byte(name))
	if err := pool.Run(ctx, st); err != nil {
		return "", err
	}
	value = string(st.Rows.Bytes(0, 0))
	if !writes {
		return value, nil
	}
	return value, s.inTx(ctx, "show", func(ctx context.Context, tx bun.Tx) error {
		var inTx string
		err := tx.NewRaw("SELECT current_setting(?)", name).Scan(ctx, &inTx)
		if inTx != value {
			value += " or " + inTx
		}
		return err
	})
}

// PlanSettings returns SQL that makes PostgreSQL plan as it does for reads.
func PlanSettings() (all []string) {
	for _, s := range planning() {
		all = append(all, "SET "+s.name+" = "+s.value)
	}
	return all
}

// ReadRoundTrips returns how often a connection for reads was acquired.
func ReadRoundTrips(s *Store) int64 { return s.reads.Stat().AcquireCount() }

// RoundTrips returns how often a connection for reads and one for writes was acquired.
func RoundTrips(s *Store) (reads, writes int64) {
	return s.reads.Stat().AcquireCount(), s.writes.Stat().AcquireCount()
}

// RunShared sends a statement in a shared round trip.
func RunShared(ctx context.Context, s *Store, text string) error {
	return s.reads.RunShared(ctx, pgpipe.NewStatement(text))
}

// MigrateOptions replace parts of the migrator.
type MigrateOptions struct {
	Files       fs.FS // nil: those of the server
	Backfills   []Backfill
	LockTimeout time.Duration // zero: that of the server; it is the first pause, too
	Log         *slog.Logger
}

// Backfill is a backfill in SQL or in Go.
type Backfill struct {
	Name, Statement string
	Run             func(ctx context.Context, tx pgx.Tx, after int64) (last int64, done bool, err error)
}

// MigrateWith is Migrate with parts replaced.
func MigrateWith(ctx context.Context, url string, o MigrateOptions) error {
	m := newMigrator(o.Log)
	if o.Files != nil {
		m.files, m.backfills = o.Files, nil // those of the server need its files
	}
	for _, b := range o.Backfills {
		m.backfills = append(m.backfills, backfill{name: b.Name, statement: b.Statement, run: b.Run})
	}
	if o.LockTimeout > 0 {
		m.lockTimeout, m.firstPause = o.LockTimeout, o.LockTimeout
	}
	return m.run(ctx, url)
}

// Backfills returns the names of all backfills of the server.
func Backfills() (names []string) {
	for _, b := range backfills(nil) {
		names = append(names, b.name)
	}
	return names
}

// CheckMigrations returns the error of a directory of migrations.
func CheckMigrations(files fs.FS) error {
	all, err := readMigrations(files)
	if err != nil {
		return err
	}
	for _, m := range all {
		switch {
		case m.worksWith > m.name || !slices.ContainsFunc(all, func(other migration) bool { return other.name == m.worksWith }):
			return fmt.Errorf("%s: works with a migration that is not there", m.file)
		case !m.inTx() && (!indexName.MatchString(m.text) || strings.Count(m.text, ";") != 1):
			return fmt.Errorf("%s: a file without a transaction has one statement, which creates or drops an index concurrently", m.file)
		}
	}
	return nil
}

// Sent is a statement with its arguments.
type Sent struct {
	Text string
	Args []string
}

// Statements returns what a load sends for a viewer.
func Statements(v *model.Viewer, loads ...*query.Load) (sent []Sent, err error) {
	statements, err := (&query.Request{Loads: loads}).Statements(v)
	for _, st := range statements {
		s := Sent{Text: st.Text.Value()}
		for _, arg := range st.Args {
			s.Args = append(s.Args, string(arg))
		}
		sent = append(sent, s)
	}
	return sent, err
}

// StatementTimeouts returns the time limit of statements of each pool.
func StatementTimeouts(ctx context.Context, s *Store) map[string]string {
	limits := map[string]string{}
	for name, p := range map[string]pool{
		"reads": s.reads, "writes": s.writes, "reserved reads": s.reservedReads, "reserved writes": s.reservedWrites,
	} {
		var limit string
		if err := p.QueryRow(ctx, "SHOW statement_timeout").Scan(&limit); err != nil {
			limit = err.Error()
		}
		limits[name] = limit
	}
	return limits
}

// ReservedPID returns the process of the connection for sessions and sign-ins that write.
func ReservedPID(ctx context.Context, s *Store) (pid int, err error) {
	return pid, s.reservedWrites.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&pid)
}

// SendMail writes a mail, as the acts do that cause one.
func SendMail(ctx context.Context, s *Store, account int64, kind model.MailKind, data map[string]string) error {
	return s.sendMail(ctx, s.db, account, kind, data)
}

// MaxPatients is of how many patients a change names those who see them.
const MaxPatients = maxPatients

// InAudience is an account with a relation to a patient.
type InAudience struct{ Patient, Account int64 }

// Audience returns who has one of the relations of the mask to the patients, except those
// relations that an account has to all of them.
func Audience(ctx context.Context, s *Store, patients []int64, mask model.Relations) (pairs []InAudience, err error) {
	text := patientAudience(mask, "$1")
	if text == "" {
		return nil, nil
	}
	err = s.reads.on(ctx, func(conn *pgx.Conn, _ pgx.QueryExecMode) error {
		rows, err := conn.Query(ctx, text, patients)
		if err != nil {
			return err
		}
		pairs, err = pgx.CollectRows(rows, pgx.RowToStructByPos[InAudience])
		return err
	})
	return pairs, err
}
