-- All servers on one database share the budgets of guesses, and a restart does not refill them.
-- works with: 20261123000000

-- A row says when a budget is full again. A full budget has no row.
CREATE TABLE budgets (
    key     text PRIMARY KEY,
    full_at timestamptz NOT NULL
);
CREATE INDEX budgets_full ON budgets (full_at);
