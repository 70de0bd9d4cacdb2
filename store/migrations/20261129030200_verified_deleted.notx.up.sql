-- A deleted entry that was verified keeps its license number: find it.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS doctors_verified_deleted ON doctors (verified_license) WHERE deleted_at IS NOT NULL;
