package pgserver

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5" //nolint:depguard // asks for the state of the cluster, no table
)

const (
	recoveryPoll = 200 * time.Millisecond
	// recoveryReport is the time between two lines about the progress.
	recoveryReport = 10 * time.Second
	// endingGrace is the time that PostgreSQL has to end after it closed a connection.
	endingGrace = 2 * time.Second
)

// awaitRecovery returns when a point-in-time recovery has ended: until then
// PostgreSQL answers, but refuses every write. It returns at once if the data
// directory asks for no recovery. The error says what to do if recovery has stopped at
// its target, or if the cluster is a standby, whose recovery never ends.
func (s *Server) awaitRecovery(ctx context.Context, c cluster) error {
	switch {
	case exists(filepath.Join(c.path(), "standby.signal")):
		return fmt.Errorf("%s is a standby: remove standby.signal to make it the primary", c.path())
	case !exists(filepath.Join(c.path(), "recovery.signal")):
		return nil
	}
	conn, err := pgx.Connect(ctx, s.url)
	if err != nil {
		return s.lost(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	tick := time.NewTicker(recoveryPoll)
	defer tick.Stop()
	for report := time.Now(); ; {
		recovering, paused, reached, err := recovery(ctx, conn)
		switch {
		case err != nil:
			return s.lost(err)
		case !recovering:
			return nil
		case paused:
			return errors.New("recovery has reached its target and is paused: set recovery_target_action = 'promote' in " +
				filepath.Join(c.path(), "postgresql.auto.conf") + " and start again")
		case !time.Now().Before(report):
			s.log.InfoContext(ctx, "PostgreSQL is recovering", "reached", reached)
			report = time.Now().Add(recoveryReport)
		}
		select {
		case <-s.done:
			return fmt.Errorf("recover: %w", s.err)
		case <-ctx.Done():
			return fmt.Errorf("recover: %w", ctx.Err())
		case <-tick.C:
		}
	}
}

// lost returns why PostgreSQL ended during its recovery, or else why it does not answer.
func (s *Server) lost(err error) error {
	select {
	case <-s.done:
		return fmt.Errorf("recover: %w", s.err)
	case <-time.After(endingGrace):
		return fmt.Errorf("ask PostgreSQL for its recovery: %w", err)
	}
}

// recovery returns whether recovery runs, whether it is paused, and the time of the
// last transaction that it has repeated.
func recovery(ctx context.Context, conn *pgx.Conn) (recovering, paused bool, reached string, err error) {
	err = conn.QueryRow(ctx, `SELECT pg_is_in_recovery(), CASE WHEN pg_is_in_recovery() THEN pg_is_wal_replay_paused() ELSE false END,
		coalesce(pg_last_xact_replay_timestamp()::text, '')`).Scan(&recovering, &paused, &reached)
	return recovering, paused, reached, err
}
