-- The specializations are counted without reading the doctors' rows.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS doctors_specialization_names ON doctors (coalesce(specialization_fold, specialization_key)) INCLUDE (specialization, specialization_fold, specialization_key) WHERE deleted_at IS NULL;
