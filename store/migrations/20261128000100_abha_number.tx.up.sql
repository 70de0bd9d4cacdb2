-- Hospitals in India ask for the number of the patient's national health account.
ALTER TABLE patients ADD COLUMN abha_number text CHECK (abha_number ~ '^[0-9]{2}-[0-9]{4}-[0-9]{4}-[0-9]{4}$');
