-- An administrator pages through all mappings in the order of their assignment.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS mappings_all_assigned ON mappings (assigned_at, id);
