-- An account sees where it is signed in, and ends a session that it does not know.
-- works with: 20261123000000

-- client is what the client says it is, address that of the sign-in.
ALTER TABLE sessions ADD COLUMN client text, ADD COLUMN address text, ADD COLUMN last_seen_at timestamptz;

-- Clients name a session by a number: 52 bits of a hash of its id.
CREATE VIEW live_sessions AS
    SELECT ('x' || left(md5(id), 13))::bit(52)::bigint AS id, id AS session_id, user_id AS account_id, created_at,
        coalesce(last_seen_at, created_at) AS last_seen_at, expires_at, client, address
    FROM sessions WHERE ended_at IS NULL AND expires_at > now();
