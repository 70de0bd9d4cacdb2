-- No two accounts may have one address in letters and in Punycode.
-- works with: 20261123000000
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS users_email_form_key ON users (email_key) WHERE email_key IS NOT NULL;
