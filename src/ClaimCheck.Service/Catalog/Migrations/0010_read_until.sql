-- Up to which time an export's snapshot holds every row that a transaction may have stamped with its now(): the next incremental run
-- goes on from there. Null for uploads, and for exports of before: then snapshot_at serves.
ALTER TABLE exports ADD COLUMN read_until timestamptz NULL;
