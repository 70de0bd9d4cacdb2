-- A verification covers the name and the license number that an administrator checked: keep them.
-- works with: 20261123000000

ALTER TABLE doctors ADD COLUMN verified_name text, ADD COLUMN verified_license text;
CREATE UNIQUE INDEX doctors_verified_key ON doctors (verified_license) WHERE is_verified AND deleted_at IS NULL;
CREATE INDEX doctors_verified_deleted ON doctors (verified_license) WHERE deleted_at IS NOT NULL;
