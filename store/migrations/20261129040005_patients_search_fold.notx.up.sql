-- A search compares what the server has folded.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS patients_search_fold ON patients USING gin (coalesce(search_fold, search_text) gin_trgm_ops);
