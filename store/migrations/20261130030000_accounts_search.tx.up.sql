-- Administrators look for accounts by the parts of a name, an address or a number.
-- works with: 20261123000000

-- search_fold is null where the function fold makes the same of the texts, and in rows that version 0.1.0 writes.
ALTER TABLE users ADD COLUMN search_fold text;
