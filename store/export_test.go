package store

import (
	"context"

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
