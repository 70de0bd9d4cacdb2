-- Doctors are counted and listed by the folded specialization.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS doctors_specialization_fold ON doctors (coalesce(specialization_fold, specialization_key), coalesce(name_fold, name_key), id) WHERE deleted_at IS NULL;
