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

// Translate is for errors of the driver that a test cannot cause.
func Translate(ctx context.Context, s *Store, err error) error { return s.translate(ctx, "x", err) }

// ReadRoundTrips returns how often a connection for reads was acquired.
func ReadRoundTrips(s *Store) int64 { return s.reads.Stat().AcquireCount() }

// RunShared sends a statement in a shared round trip.
func RunShared(ctx context.Context, s *Store, text string) error {
	return s.reads.RunShared(ctx, pgpipe.NewStatement(text))
}
