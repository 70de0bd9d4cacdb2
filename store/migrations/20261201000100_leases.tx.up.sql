-- Some work is for one of several servers at a time.
-- works with: 20261123000000
CREATE TABLE leases (name text PRIMARY KEY, until timestamptz NOT NULL);
