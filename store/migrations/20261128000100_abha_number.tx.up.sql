-- Hospitals in India ask for the number of the patient's national health account.
-- works with: 20261123000000
ALTER TABLE patients ADD COLUMN abha_number text;
-- New and changed rows meet it. There are no others, so PostgreSQL need not look.
ALTER TABLE patients ADD CONSTRAINT patients_abha_number_check CHECK (abha_number ~ '^[0-9]{2}-[0-9]{4}-[0-9]{4}-[0-9]{4}$') NOT VALID;
