-- Clinics number their patients, and the front desk finds a patient by that number.
-- works with: 20261123000000
ALTER TABLE patients ADD COLUMN record_number text;
