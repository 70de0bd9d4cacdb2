-- No two accounts may have user names that look the same.
-- works with: 20261123000000
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_username_form_key ON users (username_key);
