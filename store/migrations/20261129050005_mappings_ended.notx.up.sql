-- The owner of many patients counts their ended mappings: one in ten of all, which mappings_patient does not tell apart.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS mappings_ended ON mappings (patient_id) WHERE NOT is_active;
