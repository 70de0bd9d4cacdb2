-- A client that loses the answer to a refresh can send the same refresh token again for a few seconds.
-- works with: 20261123000000
ALTER TABLE sessions
    ADD COLUMN previous_refresh_id text,
    ADD COLUMN rotated_at timestamptz;
