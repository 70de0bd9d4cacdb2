package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/caregraph/caregraph/model"
)

// Spending is one unit of the budget with the key, which comes back after Every.
type Spending struct {
	Key   string
	Every time.Duration
}

// Budgets returns when the budgets with the keys are full again. A key without an
// entry has a full budget.
func (s *Store) Budgets(ctx context.Context, keys []string) (map[string]time.Time, error) {
	var fullAt map[string]time.Time
	err := s.readReserved(func(p pool) (err error) {
		fullAt, err = budgetsOf(ctx, p, `SELECT key, full_at FROM budgets WHERE key = ANY ($1)`, keys)
		return err
	})
	return fullAt, s.translate(ctx, "read budgets", err)
}

const spendBudgets = `WITH spent AS (
		INSERT INTO budgets AS b (key, full_at) SELECT key, $1::timestamptz + every * interval '1 microsecond'
		FROM unnest($2::text[], $3::bigint[]) AS s (key, every) ORDER BY key
		ON CONFLICT (key) DO UPDATE SET full_at = greatest(b.full_at, $1) + (excluded.full_at - $1)
		RETURNING key, full_at
	), recorded AS (
		` + insertEvent + ` SELECT kind, account.id, NULL, client, $7
		FROM unnest($4::text[], $5::bigint[], $6::text[]) AS event (kind, account_id, client) LEFT JOIN users AS account ON account.id = account_id
	)
	SELECT key, full_at FROM spent`

// SpendBudgets takes one unit from each budget, whether there is one left or not, and
// returns when they are full again. It records the kinds, accounts and clients of events
// with it.
func (s *Store) SpendBudgets(ctx context.Context, now time.Time, all []Spending, events ...model.SecurityEvent) (map[string]time.Time, error) {
	keys, every := make([]string, len(all)), make([]int64, len(all))
	for i, one := range all {
		keys[i], every[i] = one.Key, one.Every.Microseconds()
	}
	kinds, accounts, clients := make([]string, len(events)), make([]*int64, len(events)), make([]*string, len(events))
	for i, e := range events {
		kinds[i], accounts[i], clients[i] = string(e.Kind), e.AccountID, e.Client
	}
	_, address := s.origin(ctx)
	var fullAt map[string]time.Time
	err := s.writeReserved(func(p pool) (err error) {
		fullAt, err = budgetsOf(ctx, p, spendBudgets, now, keys, every, kinds, accounts, clients, address)
		return err
	})
	return fullAt, s.translate(ctx, "spend budgets", err)
}

// RefillBudgets makes the budgets with the keys full.
func (s *Store) RefillBudgets(ctx context.Context, keys []string) error {
	err := s.writeReserved(func(p pool) error { return p.exec(ctx, `DELETE FROM budgets WHERE key = ANY ($1)`, keys) })
	return s.translate(ctx, "refill budgets", err)
}

// budgetsOf runs a statement that returns keys and times.
func budgetsOf(ctx context.Context, p pool, text string, args ...any) (map[string]time.Time, error) {
	fullAt := map[string]time.Time{}
	err := p.on(ctx, func(conn *pgx.Conn, mode pgx.QueryExecMode) error {
		rows, err := conn.Query(ctx, text, append([]any{mode}, args...)...)
		if err != nil {
			return err
		}
		var key string
		var at time.Time
		_, err = pgx.ForEachRow(rows, []any{&key, &at}, func() error {
			fullAt[key] = at
			return nil
		})
		return err
	})
	return fullAt, err
}
