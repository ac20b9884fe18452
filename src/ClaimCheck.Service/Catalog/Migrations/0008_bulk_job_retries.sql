-- A retry that ended early is gone on with by the next one: how many of the failed items the retries before it have taken.
ALTER TABLE bulk_jobs ADD COLUMN retry_from bigint NOT NULL DEFAULT 0;
