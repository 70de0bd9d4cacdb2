package pgpipe_test

import (
	"context"
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
		send       func(context.Context) error
	}{
		{"Run", 2, func(ctx context.Context) error {
			return pool.Run(ctx, pgpipe.NewStatement("SELECT 1"), pgpipe.NewStatement("SELECT 2"))
		}},
		{"RunShared", 1, func(ctx context.Context) error { return pool.RunShared(ctx, pgpipe.NewStatement("SELECT 1")) }},
		{"Acquire", 1, func(ctx context.Context) error {
			conn, err := pool.Acquire(ctx)
			if err != nil {
				return err
			}
			defer conn.Release()
			_, err = conn.Exec(ctx, "SELECT 1")
			return err
		}},
		{"DB", 1, func(ctx context.Context) error { var n int; return db.QueryRowContext(ctx, "SELECT 1").Scan(&n) }},
		{"a transaction", 2, func(ctx context.Context) error {
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
		testutil.Must(t, way.send(ctx))
		testutil.Must(t, way.send(t.Context())) // of another request
		sent += way.statements
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
