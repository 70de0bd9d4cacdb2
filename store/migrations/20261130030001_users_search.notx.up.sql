-- A search for accounts compares what the server has folded.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS users_search ON users
    USING gin (coalesce(search_fold, fold(username || ' ' || email || ' ' || coalesce(phone, ''))) gin_trgm_ops);
