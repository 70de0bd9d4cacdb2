package store

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Retentions are how long rows stay after they were written; zero is forever.
type Retentions struct {
	// Feed is that of the change feed. A device that was away for longer starts again.
	Feed time.Duration
	// Requests is that of Idempotency-Keys. Later the same request is a new one.
	Requests time.Duration
	// Sessions is that of sessions, after their end.
	Sessions time.Duration
}

// keepBudgets is how long a budget stays after it is full again. Then it says nothing.
const keepBudgets = 24 * time.Hour

// retention is how long the rows of a table stay.
type retention struct {
	table string
	keep  time.Duration
	// past is the condition on a row that has stayed for longer than $1.
	past string
	// then is a statement about the deleted rows, which have the column xid; "" for none.
	then string
}

func (s *Store) retentions() []retention {
	return []retention{{
		table: "change_feed", keep: s.retention.Feed,
		past: "at < now() - $1::interval AND xid < pg_snapshot_xmin(pg_current_snapshot())",
		then: `UPDATE feed_state SET pruned = greatest(pruned, (SELECT xid FROM gone ORDER BY xid DESC LIMIT 1))`,
	}, {
		table: "requests", keep: s.retention.Requests, past: "at < now() - $1::interval",
	}, {
		table: "sessions", keep: s.retention.Sessions, past: "ended_at < now() - $1::interval OR expires_at < now() - $1::interval",
	}, {
		table: "budgets", keep: keepBudgets, past: "full_at < now() - $1::interval",
	}, {
		table: "servers", keep: keepServers, past: "seen_at < now() - $1::interval",
	}}
}

// swept is what the sweeps of this server have done.
type swept struct {
	mu   sync.Mutex
	rows map[string]int64
	at   time.Time
}

// Swept returns how many rows of each table this server has swept, and when it did so the
// last time without an error; zero for never.
func (s *Store) Swept() (rows map[string]int64, at time.Time) {
	s.swept.mu.Lock()
	defer s.swept.mu.Unlock()
	rows = map[string]int64{}
	for _, r := range s.retentions() {
		rows[r.table] = 0
	}
	maps.Copy(rows, s.swept.rows)
	return rows, s.swept.at
}

func (s *swept) add(table string, rows int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rows == nil {
		s.rows = map[string]int64{}
	}
	s.rows[table] += int64(rows)
}

const (
	sweepBatch = 1000
	// sweepTimeout bounds one statement.
	sweepTimeout = 10 * time.Second
	// sweepPause is the time between two batches, for the requests of others.
	sweepPause = 10 * time.Millisecond
	// sweepLease keeps all servers together from sweeping more than once an hour.
	sweepLease = 55 * time.Minute
)

const takeLease = `INSERT INTO leases (name, until) VALUES ($1, now() + $2::interval)
	ON CONFLICT (name) DO UPDATE SET until = excluded.until WHERE leases.until <= now() RETURNING true`

// SweepHourly calls Sweep each hour until stop is called.
func (s *Store) SweepHourly(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		hour := time.NewTicker(time.Hour)
		defer hour.Stop()
		for {
			if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
				s.log.WarnContext(ctx, "old rows could not be deleted; the next try is in an hour", "error", err)
			}
			select {
			case <-ctx.Done():
				return
			case <-hour.C:
			}
		}
	}()
	return func() { cancel(); <-done }
}

// Sweep deletes the rows that are older than their retention. It does nothing if a server has
// done so in the last hour. The end of ctx stops it between two statements.
func (s *Store) Sweep(ctx context.Context) error {
	mine := false
	err := s.sweepBy(ctx, &mine, takeLease, "sweep", interval(sweepLease))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return s.translate(ctx, "take the lease of the sweep", err)
	}
	for _, r := range s.retentions() {
		if err := s.sweep(ctx, r); err != nil {
			return s.translate(ctx, "sweep "+r.table, err)
		}
	}
	s.swept.mu.Lock()
	defer s.swept.mu.Unlock()
	s.swept.at = s.now()
	return nil
}

// sweep deletes in batches, each in a transaction of its own.
func (s *Store) sweep(ctx context.Context, r retention) error {
	if r.keep == 0 {
		return nil
	}
	limit := strconv.Itoa(sweepBatch)
	text := "DELETE FROM " + r.table + " WHERE ctid = ANY (ARRAY (SELECT ctid FROM " + r.table + " WHERE " + r.past + " LIMIT " + limit + "))"
	if r.then != "" {
		text = "WITH gone AS (" + text + " RETURNING xid), noted AS (" + r.then + " WHERE EXISTS (SELECT FROM gone)) SELECT count(*) FROM gone"
	} else {
		text = "WITH gone AS (" + text + " RETURNING 1) SELECT count(*) FROM gone"
	}
	for ctx.Err() == nil {
		deleted := 0
		err := s.sweepBy(ctx, &deleted, text, interval(r.keep))
		s.swept.add(r.table, deleted)
		if err != nil || deleted < sweepBatch {
			return err
		}
		_ = pause(ctx, sweepPause) // the end of ctx ends the loop
	}
	return nil
}

// sweepBy runs a statement that returns one value. The end of ctx does not stop it.
func (s *Store) sweepBy(ctx context.Context, to any, text string, args ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), sweepTimeout)
	defer cancel()
	return s.writes.scan(ctx, to, text, args...)
}

// interval returns a duration as PostgreSQL reads it.
func interval(d time.Duration) string {
	return strconv.FormatInt(d.Microseconds(), 10) + " microseconds"
}
