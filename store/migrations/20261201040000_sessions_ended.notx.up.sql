-- The hourly sweep finds the sessions that ended long ago, of which most others are still there.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_ended ON sessions (ended_at) WHERE ended_at IS NOT NULL;
