-- An administrator counts all active or all ended mappings.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS mappings_state ON mappings (is_active);
