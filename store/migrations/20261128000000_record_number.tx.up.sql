-- Clinics number their patients. The front desk finds a patient by that number, so
-- no two live patients of an owner may share one.
ALTER TABLE patients ADD COLUMN record_number text;
CREATE UNIQUE INDEX patients_record_number_key ON patients (created_by, lower(record_number)) WHERE deleted_at IS NULL;

-- PostgreSQL before 17 cannot change the expression of a generated column.
ALTER TABLE patients DROP COLUMN search_text;
ALTER TABLE patients ADD COLUMN search_text text NOT NULL GENERATED ALWAYS AS
    (fold(name || ' ' || coalesce(email, '') || ' ' || phone || ' ' || coalesce(record_number, ''))) STORED;
CREATE INDEX patients_search ON patients USING gin (search_text gin_trgm_ops);
