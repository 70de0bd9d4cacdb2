-- A verification covers the name and the license number that an administrator checked: keep them.
-- works with: 20261123000000

ALTER TABLE doctors ADD COLUMN verified_name text, ADD COLUMN verified_license text;
