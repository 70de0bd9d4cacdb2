package pgpipe_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/caregraph/caregraph/internal/pgpipe"
	"github.com/caregraph/caregraph/internal/testutil"
)

// TestMeasure_CountsWhatItsRequestSends, in each of the ways to send a statement, and
// nothing of other requests.
func TestMeasure_CountsWhatItsRequestSends(t *testing.T) {
	t.Parallel()
	pool := open(t, nil)
	db := pool.DB()
	defer func() { _ = db.Close() }()
	request := &pgpipe.Request{Client: pgpipe.Client{Account: 1}, Measure: &pgpipe.Measure{}}
	ctx := context.WithValue(t.Context(), pgpipe.RequestKey{}, request)
	sent := 0
	for _, way := range []struct {
		name       string
		statements int
		trips      int
		send       func(context.Context) error
	}{
		{"Run", 2, 1, func(ctx context.Context) error {
			return pool.Run(ctx, pgpipe.NewStatement("SELECT 1"), pgpipe.NewStatement("SELECT 2"))
		}},
		{"RunShared", 1, 1, func(ctx context.Context) error { return pool.RunShared(ctx, pgpipe.NewStatement("SELECT 1")) }},
		{"Acquire", 1, 1, func(ctx context.Context) error {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				return err
			}
			defer conn.Release()
			_, err = conn.Exec(ctx, "SELECT 1")
			return err
		}},
		{"DB", 1, 1, func(ctx context.Context) error { var n int; return db.QueryRowContext(ctx, "SELECT 1").Scan(&n) }},
		{"a transaction", 2, 2, func(ctx context.Context) error {
			tx, err := db.BeginTx(ctx, nil)
			if err != nil {
				return err
			}
			for range 2 {
				if _, err := tx.ExecContext(ctx, "SELECT 1"); err != nil {
					return err
				}
			}
			return tx.Commit()
		}},
	} {
		_, before := request.Measure.Read()
		trips, _ := request.Used()
		testutil.Must(t, way.send(ctx))
		testutil.Must(t, way.send(t.Context())) // of another request
		sent += way.statements
		if after, waited := request.Used(); after-trips != int64(way.trips) || waited != 0 {
			t.Errorf("%s: %d round trips, want %d; a wait of %v", way.name, after-trips, way.trips, waited)
		}
		statements, took := request.Measure.Read()
		if statements != sent || took <= before {
			t.Errorf("%s: %d statements, want %d; %v after %v", way.name, statements, sent, took, before)
		}
	}
}

// TestMeasure_OfManyAtOnce: a request may use several connections at a time.
func TestMeasure_OfManyAtOnce(t *testing.T) {
	t.Parallel()
	pool := open(t, nil)
	request := &pgpipe.Request{Client: pgpipe.Client{Account: 1}, Measure: &pgpipe.Measure{}}
	ctx := context.WithValue(t.Context(), pgpipe.RequestKey{}, request)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := pool.Run(ctx, pgpipe.NewStatement("SELECT 1")); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	statements, took := request.Measure.Read()
	if statements != 8 || took <= 0 {
		t.Errorf("%d statements in %v", statements, took)
	}
}

// TestTrips_AreReported with their pool, their statements and their rows.
func TestTrips_AreReported(t *testing.T) {
	t.Parallel()
	var trips []string
	pool := open(t, nil, func(o *pgpipe.Options) {
		o.Name = "reads"
		o.OnTrip = func(_ context.Context, trip pgpipe.Trip) {
			trips = append(trips, fmt.Sprint(trip.Pool, " ", trip.Count, " ", len(trip.Statements), " ", trip.Rows()))
			if trip.Took <= 0 {
				t.Errorf("it took %v", trip.Took)
			}
		}
	})
	db := pool.DB()
	defer func() { _ = db.Close() }()
	testutil.Must(t, pool.Run(t.Context(), pgpipe.NewStatement("SELECT 1"), pgpipe.NewStatement("SELECT generate_series(1, 4)")))
	testutil.Must(t, pool.RunShared(t.Context(), pgpipe.NewStatement("SELECT 1")))
	testutil.Must(t, pool.QueryRow(t.Context(), "SELECT 1").Scan(nil))
	_, err := db.ExecContext(t.Context(), "SELECT 1")
	testutil.Must(t, err)
	testutil.Equal(t, "trips", trips, []string{"reads 2 2 5", "reads 1 1 1", "reads 1 0 0", "reads 1 0 0"})
}

// TestUsed_HasTheWaits for a connection and for a turn in a shared round trip.
func TestUsed_HasTheWaits(t *testing.T) {
	t.Parallel()
	pool := open(t, nil)
	for name, send := range map[string]func(context.Context) error{
		"Run":       func(ctx context.Context) error { return pool.Run(ctx, pgpipe.NewStatement("SELECT 1")) },
		"RunShared": func(ctx context.Context) error { return pool.RunShared(ctx, pgpipe.NewStatement("SELECT 1")) },
	} {
		conn, err := pool.Acquire(t.Context())
		testutil.Must(t, err)
		waiting, release := pgpipe.Hold(pool)
		request := &pgpipe.Request{Client: pgpipe.Client{Account: 1}}
		done := make(chan error, 1)
		before, _ := pool.Waits()
		go func() { done <- send(context.WithValue(t.Context(), pgpipe.RequestKey{}, request)) }()
		for times, _ := pool.Waits(); times == before && waiting() == 0; times, _ = pool.Waits() {
			runtime.Gosched()
		}
		conn.Release()
		release()
		testutil.Must(t, <-done)
		if _, waited := request.Used(); waited <= 0 {
			t.Errorf("%s: it has waited %v", name, waited)
		}
	}
}
