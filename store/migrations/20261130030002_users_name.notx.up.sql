-- A page of accounts comes from an index, in the order of their names.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users ((lower(username) COLLATE "C"), id);
