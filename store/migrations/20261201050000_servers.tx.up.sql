-- Migrations and operators must know which servers run on the database: releases and keys may differ.
-- works with: 20261123000000
CREATE TABLE servers (
	id         text PRIMARY KEY,
	version    text NOT NULL,
	schema     text NOT NULL,
	keys       text[] NOT NULL,
	started_at timestamptz NOT NULL,
	seen_at    timestamptz NOT NULL
);
