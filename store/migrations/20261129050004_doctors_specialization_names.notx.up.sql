-- The specializations are counted without reading the doctors' rows.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS doctors_specialization_names ON doctors (specialization_key) INCLUDE (specialization) WHERE deleted_at IS NULL;
