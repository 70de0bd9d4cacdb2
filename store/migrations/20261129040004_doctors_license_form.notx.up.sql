-- No two live entries may have license numbers that look the same.
-- works with: 20261123000000
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS doctors_license_form_key ON doctors (license_key) WHERE deleted_at IS NULL;
