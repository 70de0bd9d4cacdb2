-- Each second the server asks which grants have expired since.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS grants_expire ON grants (expires_at) WHERE expires_at IS NOT NULL;
