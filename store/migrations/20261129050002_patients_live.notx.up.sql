-- The live patients of an owner, and of all, are counted without reading their rows.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS patients_live ON patients (created_by, id) WHERE deleted_at IS NULL;
