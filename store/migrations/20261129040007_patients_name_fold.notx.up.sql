-- An owner's patients are listed by what the server has folded.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS patients_name_fold ON patients (created_by, coalesce(name_fold, name_key), id);
