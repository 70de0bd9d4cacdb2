package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// advisoryKey is the key of the advisory lock that version 0.1.0 takes for its
// migrations: "care" in ASCII. Every transaction here takes it too.
const advisoryKey = 0x63617265

const (
	// lease is how long the lock is held without a renewal.
	lease = 30 * time.Second
	// renewal is the time between renewals.
	renewal = 10 * time.Second
	// lockPoll is the time between two tries to get the lock.
	lockPoll     = 200 * time.Millisecond
	longestPause = 30 * time.Second
)

var errLockLost = errors.New("another process has taken over the migration")

// tables are what the migrator needs. bun created the first one in version 0.1.0.
const tables = `CREATE TABLE IF NOT EXISTS bun_migrations
	(id bigserial PRIMARY KEY, name varchar, group_id bigint, migrated_at timestamptz NOT NULL DEFAULT current_timestamp);
CREATE TABLE IF NOT EXISTS schema_compatibility (migration text PRIMARY KEY, works_with text NOT NULL);
CREATE TABLE IF NOT EXISTS migration_backfills (name text PRIMARY KEY, after bigint NOT NULL, done_at timestamptz);
CREATE TABLE IF NOT EXISTS migration_lock
	(one boolean PRIMARY KEY DEFAULT true CHECK (one), holder text NOT NULL, expires_at timestamptz NOT NULL)`

// run applies what is missing, if anything is.
func (m *migrator) run(ctx context.Context, url string) error {
	if err := m.connect(ctx, url); err != nil {
		return err
	}
	defer m.db.Close()
	if err := m.apply(ctx); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

func (m *migrator) apply(ctx context.Context) error {
	state, err := m.state(ctx)
	if err != nil || len(state.missing) == 0 && len(state.pending) == 0 {
		return err
	}
	if len(state.missing) > 0 { // a backfill that repeats needs rights on rows only
		err = m.patiently(ctx, "create the tables of the migrations", func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, tables, pgx.QueryExecModeSimpleProtocol)
			return err
		})
		if err != nil {
			return err
		}
	}
	m.holder = rand.Text()
	if err := m.lock(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(ctx)
	renewed := make(chan struct{})
	go func() {
		defer close(renewed)
		m.renew(ctx, stop)
	}()
	err = m.applyAll(ctx)
	if lost := context.Cause(ctx); errors.Is(lost, errLockLost) {
		err = lost
	}
	stop(nil)
	<-renewed
	m.unlock(ctx)
	return err
}

// applyAll applies what is missing now that no other process migrates. It logs each
// step, but one line for all of them if the database is empty.
func (m *migrator) applyAll(ctx context.Context) error {
	state, err := m.state(ctx)
	if err != nil {
		return err
	}
	if !state.empty {
		return m.steps(ctx, state, slog.LevelInfo)
	}
	began := time.Now()
	if err := m.steps(ctx, state, slog.LevelDebug); err != nil {
		return err
	}
	m.log.InfoContext(ctx, "migrated an empty database", "migrations", len(state.missing), "duration", time.Since(began).Round(time.Millisecond))
	return nil
}

// steps runs what is missing. Files in a transaction come first, since servers need
// them; indexes come last, since one that is built over filled columns is smaller and
// takes less time.
func (m *migrator) steps(ctx context.Context, state schemaState, level slog.Level) error {
	for _, file := range state.missing {
		if file.inTx() {
			if err := m.fileStep(ctx, level, file, m.transactional); err != nil {
				return err
			}
		}
	}
	if m.expandOnly {
		return nil
	}
	for _, b := range state.pending {
		if err := m.step(ctx, level, b.name, func() error { return m.fill(ctx, b) }); err != nil {
			return err
		}
	}
	for _, file := range state.missing {
		if !file.inTx() {
			if err := m.fileStep(ctx, level, file, m.concurrent); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileStep applies a file, unless it removes what a server that runs still needs.
func (m *migrator) fileStep(ctx context.Context, level slog.Level, file migration, apply func(context.Context, migration) error) error {
	return m.step(ctx, level, file.file, func() error {
		needing, err := m.needing(ctx, file)
		if err != nil {
			return err
		}
		if len(needing) > 0 {
			return fmt.Errorf("it removes what servers that run still need, so stop or upgrade them first: %s", strings.Join(needing, ", "))
		}
		return apply(ctx, file)
	})
}

func (m *migrator) step(ctx context.Context, level slog.Level, name string, do func() error) error {
	began := time.Now()
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	m.log.Log(ctx, level, "migrated", "step", name, "duration", time.Since(began).Round(time.Millisecond))
	return nil
}

func (m *migrator) transactional(ctx context.Context, file migration) error {
	return m.inTx(ctx, file.file, func(ctx context.Context, tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, file.text, pgx.QueryExecModeSimpleProtocol); err != nil { // many statements
			return err
		}
		return record(ctx, tx, file)
	})
}

// record notes that a migration was applied.
func record(ctx context.Context, tx pgx.Tx, file migration) error {
	_, err := tx.Exec(ctx, `INSERT INTO bun_migrations (name, group_id) SELECT $1, coalesce(max(group_id), 0) + 1 FROM bun_migrations`, file.name)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO schema_compatibility VALUES ($1, $2) ON CONFLICT (migration) DO UPDATE SET works_with = excluded.works_with`,
		file.name, file.worksWith)
	return err
}

// indexName finds the index of a statement of a file without a transaction.
var indexName = regexp.MustCompile(`(?m)^(?:CREATE (?:UNIQUE )?INDEX CONCURRENTLY IF NOT EXISTS|DROP INDEX CONCURRENTLY IF EXISTS) (\w+)`)

// concurrent builds or drops an index while others write. It first drops an index of
// that name that an earlier try left half built. It has no lock timeout: a statement
// that waits for older transactions keeps no one from writing, and begins from nothing
// if it fails.
func (m *migrator) concurrent(ctx context.Context, file migration) error {
	index := indexName.FindStringSubmatch(file.text)
	if index == nil {
		return errors.New("the statement must create or drop an index concurrently")
	}
	err := m.again(ctx, file.file, func(ctx context.Context) error {
		invalid, err := m.isInvalid(ctx, index[1])
		if err != nil {
			return err
		}
		if invalid {
			if _, err := m.db.Exec(ctx, "DROP INDEX CONCURRENTLY IF EXISTS "+index[1], pgx.QueryExecModeSimpleProtocol); err != nil {
				return err
			}
		}
		if _, err := m.db.Exec(ctx, file.text, pgx.QueryExecModeSimpleProtocol); err != nil {
			return err
		}
		if invalid, err = m.isInvalid(ctx, index[1]); err == nil && invalid {
			err = fmt.Errorf("the index %s is not valid", index[1])
		}
		return err
	})
	if err != nil {
		return err
	}
	return m.inTx(ctx, file.file, func(ctx context.Context, tx pgx.Tx) error { return record(ctx, tx, file) })
}

func (m *migrator) isInvalid(ctx context.Context, index string) (invalid bool, err error) {
	err = m.db.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass($1) AND NOT indisvalid)", index).Scan(&invalid)
	return invalid, err
}

// lock waits until this run holds the lock, a row with a lease. A session's advisory
// lock would stay on the connection of a pooler.
func (m *migrator) lock(ctx context.Context) error {
	const take = `INSERT INTO migration_lock AS l (holder, expires_at) VALUES ($1, clock_timestamp() + $2::interval)
		ON CONFLICT (one) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at WHERE l.expires_at < clock_timestamp()`
	for waited := false; ; waited = true {
		tag, err := m.db.Exec(ctx, take, m.holder, lease.String())
		if err != nil || tag.RowsAffected() == 1 {
			return err
		}
		if !waited {
			m.log.InfoContext(ctx, "another process migrates the database; waiting for it")
		}
		if err := pause(ctx, lockPoll); err != nil {
			return err
		}
	}
}

// renew renews the lease until the context ends. It ends the context if the lock is
// lost. Errors do not matter: every transaction checks the lock.
func (m *migrator) renew(ctx context.Context, stop context.CancelCauseFunc) {
	for pause(ctx, renewal) == nil {
		tag, err := m.db.Exec(ctx, extendLease, m.holder, lease.String())
		if err == nil && tag.RowsAffected() == 0 {
			stop(errLockLost)
		}
	}
}

const extendLease = "UPDATE migration_lock SET expires_at = clock_timestamp() + $2::interval WHERE holder = $1"

func (m *migrator) unlock(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	if _, err := m.db.Exec(ctx, "DELETE FROM migration_lock WHERE holder = $1", m.holder); err != nil {
		m.log.WarnContext(ctx, "the lock of the migration was not released; it ends by itself", "after", lease)
	}
}

// inTx runs f in a transaction that holds the lock.
func (m *migrator) inTx(ctx context.Context, what string, f func(context.Context, pgx.Tx) error) error {
	return m.patiently(ctx, what, func(ctx context.Context, tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, "SELECT FROM migration_lock WHERE holder = $1 FOR UPDATE", m.holder)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return errLockLost
		}
		if err := f(ctx, tx); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, extendLease, m.holder, lease.String())
		return err
	})
}

// patiently runs f in a transaction that waits for locks no longer than the lock
// timeout, since others queue up behind it, and tries again.
func (m *migrator) patiently(ctx context.Context, what string, f func(context.Context, pgx.Tx) error) error {
	return m.again(ctx, what, func(ctx context.Context) error {
		return pgx.BeginFunc(ctx, m.db, func(tx pgx.Tx) error {
			var pid int32
			err := tx.QueryRow(ctx, `SELECT pg_backend_pid(), set_config('lock_timeout', $1, true), set_config('statement_timeout', '0', true),
				set_config('idle_in_transaction_session_timeout', '0', true)`, strconv.FormatInt(m.lockTimeout.Milliseconds(), 10)).
				Scan(&pid, nil, nil, nil)
			if err != nil {
				return err
			}
			watching, stop := context.WithCancel(ctx)
			watched := make(chan struct{})
			go func() {
				defer close(watched)
				m.logBlockers(watching, what, pid)
			}()
			defer func() {
				stop()
				<-watched
			}()
			if _, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock($1)", advisoryKey); err != nil {
				return err
			}
			return f(ctx, tx)
		})
	})
}

// logBlockers logs once who keeps a backend waiting for half of the lock timeout or
// longer. It logs no text of a statement.
func (m *migrator) logBlockers(ctx context.Context, what string, pid int32) {
	for pause(ctx, m.lockTimeout/2) == nil {
		rows, err := m.db.Query(ctx, `SELECT pid, coalesce(application_name, ''),
			coalesce(extract(epoch FROM clock_timestamp() - xact_start), 0)::float8
			FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids($1))`, pid)
		if err != nil {
			continue
		}
		blocked := false
		var blocker int32
		var name string
		var age float64
		_, err = pgx.ForEachRow(rows, []any{&blocker, &name, &age}, func() error {
			blocked = true
			m.log.WarnContext(ctx, "a migration waits for a lock", "step", what,
				"blocker", blocker, "application", name, "transaction_age", time.Duration(age*float64(time.Second)).Round(time.Millisecond))
			return nil
		})
		if err == nil && blocked {
			return
		}
	}
}

// again repeats do while locks are in the way.
func (m *migrator) again(ctx context.Context, what string, do func(context.Context) error) error {
	deadline := time.Now().Add(m.patience)
	for wait := m.firstPause; ; wait = min(2*wait, longestPause) {
		err := do(ctx)
		if !inTheWay(err) || time.Now().After(deadline) {
			return err
		}
		m.log.InfoContext(ctx, "a migration could not get its locks and tries again", "step", what, "after", wait)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
}

// inTheWay reports whether a statement failed because of locks of others.
func inTheWay(err error) bool {
	pgErr, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (pgErr.Code == "55P03" || pgErr.Code == "40P01")
}

// pause waits, or returns the error of the context.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
