-- Who revoked or cancelled an export.
ALTER TABLE exports ADD COLUMN ended_by text NULL;
