-- No two live patients of an owner may share a record number.
-- works with: 20261123000000
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS patients_record_number_key ON patients (created_by, lower(record_number)) WHERE deleted_at IS NULL;
