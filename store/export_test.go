package store

import (
	"context"
	"unique"

	"github.com/caregraph/caregraph/model"
)

// Constraints is for the test that every unique index is translated.
var Constraints = constraints

// Lookups is for the test of what shares a round trip.
func Lookups(s *Store, v *model.Viewer, reads []*Read) bool { return s.lookups(v, reads) }

// HoldTrips keeps everybody waiting for a shared trip until release is called;
// waiting is how many do.
func HoldTrips(s *Store) (waiting func() int, release func()) {
	held := 0
	for s.trips.under < s.trips.most {
		s.trips.board(&passenger{})
		held++
	}
	waiting = func() int {
		s.trips.mu.Lock()
		defer s.trips.mu.Unlock()
		return len(s.trips.waiting)
	}
	return waiting, func() {
		for range held {
			s.trips.end()
		}
	}
}

// Share sends a statement on a shared trip and returns its first value.
func Share(ctx context.Context, s *Store, text string) (string, error) {
	st := &statement{text: unique.Make(text)}
	if err := s.share(ctx, st); err != nil {
		return "", err
	}
	defer st.rows.Release()
	return string(st.rows.value(0, 0)), nil
}

// ReadTrips is how often a connection was taken to read.
func ReadTrips(s *Store) int64 { return s.reads.Stat().AcquireCount() }
