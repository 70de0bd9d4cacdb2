-- An owner pages through deleted patients to restore one.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS patients_deleted ON patients (created_by, created_at, id) WHERE deleted_at IS NOT NULL;
