-- No two live patients of an owner may have one address in letters and in Punycode.
-- works with: 20261123000000
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS patients_email_form_key ON patients (created_by, email_key) WHERE deleted_at IS NULL AND email_key IS NOT NULL;
