-- Two people who change the same mapping must not overwrite each other.
-- works with: 20261123000000
ALTER TABLE mappings ADD COLUMN version integer NOT NULL DEFAULT 1;
