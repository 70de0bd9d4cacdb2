package store

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
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
func Reads(s *Store) *pgxpool.Pool { return s.reads.Pool }

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

// ReadRoundTrips returns how often a connection for reads was acquired.
func ReadRoundTrips(s *Store) int64 { return s.reads.Stat().AcquireCount() }

// RunShared sends a statement in a shared round trip.
func RunShared(ctx context.Context, s *Store, text string) error {
	return s.reads.RunShared(ctx, pgpipe.NewStatement(text))
}
