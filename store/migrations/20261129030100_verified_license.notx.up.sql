-- No two verified entries share a license number.
-- works with: 20261123000000
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS doctors_verified_key ON doctors (verified_license) WHERE is_verified AND deleted_at IS NULL;
