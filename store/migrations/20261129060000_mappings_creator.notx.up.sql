-- The quota counts the mappings that an account has created.
-- works with: 20261123000000
CREATE INDEX CONCURRENTLY IF NOT EXISTS mappings_creator ON mappings (created_by);
