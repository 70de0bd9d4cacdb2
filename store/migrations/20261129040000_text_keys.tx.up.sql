-- Names, user names, addresses and license numbers are compared as people read them, in every encoding.
-- works with: 20261123000000
-- The server computes these columns (store/keys.go). They are null in rows that version
-- 0.1.0 writes, and the columns ending in _fold are null where a generated column has
-- the same text.
ALTER TABLE users ADD COLUMN username_key text, ADD COLUMN email_key text;
ALTER TABLE patients ADD COLUMN name_fold text COLLATE "C", ADD COLUMN search_fold text, ADD COLUMN email_key text;
ALTER TABLE doctors ADD COLUMN name_fold text COLLATE "C", ADD COLUMN specialization_fold text COLLATE "C",
    ADD COLUMN search_fold text, ADD COLUMN license_key text;
