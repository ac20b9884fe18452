-- How an export's source is read, in ranges or in one stream: of the attempt that runs, or of the one that ended. Null before that is
-- known, for batches of producers, and for exports of the version before.
ALTER TABLE exports
    ADD COLUMN ranges_by text NULL CHECK (ranges_by IN ('ctid', 'key', 'none')),
    ADD COLUMN ranges    int  NULL CHECK (ranges > 0);
