-- A search finds a patient by the record number, too.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS patients_number_search ON patients USING gin ((search_text || ' ' || coalesce(fold(record_number), '')) gin_trgm_ops);
