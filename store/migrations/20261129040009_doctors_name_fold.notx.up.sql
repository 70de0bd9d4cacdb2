-- Doctors are listed by what the server has folded.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS doctors_name_fold ON doctors (coalesce(name_fold, name_key), id) WHERE deleted_at IS NULL;
