-- A session is found by its number in live_sessions.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS sessions_number ON sessions ((('x' || left(md5(id), 13))::bit(52)::bigint));
