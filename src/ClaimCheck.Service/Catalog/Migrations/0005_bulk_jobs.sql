-- Bulk writes as jobs. A job's chunks are applied in its target, whose claimcheck.applied_chunks is what says how far it is;
-- what is here follows about once a second.
CREATE TABLE bulk_jobs (
    id                 uuid        PRIMARY KEY,              -- UUIDv7: sorts by creation
    tenant             text        NOT NULL DEFAULT 'default',
    caller             text        NOT NULL,
    operation          text        NOT NULL,
    definition         json        NOT NULL,                 -- the operation as it was when the job was asked for
    concurrency        integer     NOT NULL,                 -- jobs of this operation at a time
    source             text        NOT NULL CHECK (source IN ('inline', 'staged', 'claim', 'retry')),
    body               bytea       NULL,                     -- inline: the items
    body_key           text        NULL,                     -- staged: the object that holds the items
    body_bytes         bigint      NOT NULL DEFAULT 0,
    body_index         bytea       NULL,                     -- where its blocks begin
    claim_url          text        NULL,                     -- claim: the batch
    body_of            uuid        NULL REFERENCES bulk_jobs (id), -- retry: the job whose items they are
    retry_of           uuid        NULL REFERENCES bulk_jobs (id), -- retry: the job whose failed ones
    retry_class        text        NULL,
    total_items        bigint      NULL,                     -- a claim's are known once it is read
    status             text        NOT NULL DEFAULT 'pending'
                                   CHECK (status IN ('pending', 'running', 'completed', 'failed', 'cancelled')),
    cancel_requested_at timestamptz NULL,
    tries              integer     NOT NULL DEFAULT 0,
    leases             integer     NOT NULL DEFAULT 0,
    next_try_at        timestamptz NOT NULL DEFAULT now(),
    lease_token        uuid        NULL,
    lease_until        timestamptz NULL,
    next_chunk         bigint      NOT NULL DEFAULT 0,       -- the first one whose outcome is not known here
    processed          bigint      NOT NULL DEFAULT 0,
    succeeded          bigint      NOT NULL DEFAULT 0,
    failed             bigint      NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz NULL,
    completed_at       timestamptz NULL,
    ttl                interval    NOT NULL,
    expires_at         timestamptz NULL,                     -- set with the end
    erased_at          timestamptz NULL,                     -- body, results and the target's notes are gone
    next_sweep_at      timestamptz NULL,
    result_key         text        NULL,
    failure_code       text        NULL,
    failure_detail     text        NULL,
    failure_transient  boolean     NULL,
    idempotency_owner  text        NULL,
    idempotency_key    text        NULL,
    meaning            bytea       NULL,
    traceparent        text        NULL,
    UNIQUE (idempotency_owner, idempotency_key)
);
CREATE INDEX bulk_jobs_by_tenant ON bulk_jobs (tenant, id DESC);
CREATE INDEX bulk_jobs_to_lease  ON bulk_jobs (next_try_at) WHERE status = 'pending';
CREATE INDEX bulk_jobs_leased    ON bulk_jobs (lease_until) WHERE status = 'running';
CREATE INDEX bulk_jobs_to_expire ON bulk_jobs (expires_at)  WHERE expires_at IS NOT NULL;
CREATE INDEX bulk_jobs_retries   ON bulk_jobs (retry_of)    WHERE retry_of IS NOT NULL;
CREATE INDEX bulk_jobs_bodies    ON bulk_jobs (body_of)     WHERE body_of IS NOT NULL;

-- Items that failed; all others up to processed have succeeded.
CREATE TABLE bulk_job_failures (
    job_id             uuid        NOT NULL REFERENCES bulk_jobs (id) ON DELETE CASCADE,
    idx                bigint      NOT NULL,                 -- the item's place in the body, from 0
    key                text        NULL,
    class              text        NOT NULL CHECK (class IN ('transient', 'terminal')),
    code               text        NOT NULL,
    message            text        NOT NULL,
    round              integer     NOT NULL DEFAULT 0,       -- when it was last tried
    PRIMARY KEY (job_id, idx)
);
CREATE INDEX bulk_job_failures_transient ON bulk_job_failures (job_id, round, idx) WHERE class = 'transient';

-- Bodies that are being received: no job yet. Whoever receives says so again and again; one gone silent is swept.
CREATE TABLE bulk_job_intakes (
    job_id             uuid        PRIMARY KEY,
    live_until         timestamptz NOT NULL
);

-- Every object of a job is an upload that was recorded here before its first byte.
CREATE TABLE bulk_job_uploads (
    job_id             uuid        NOT NULL,
    object_key         text        NOT NULL,
    upload_id          text        NOT NULL,
    PRIMARY KEY (job_id, object_key, upload_id)
);

-- An event is about a batch or about a job.
ALTER TABLE outbox ALTER COLUMN export_id DROP NOT NULL;
ALTER TABLE outbox ALTER COLUMN batch_id DROP NOT NULL;
ALTER TABLE outbox ADD COLUMN job_id uuid NULL;
ALTER TABLE outbox ADD CHECK (num_nonnulls(batch_id, job_id) = 1);

CREATE FUNCTION claimcheck_bulk_jobs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'job:' || replace(NEW.id::text, '-', ''));
    IF NEW.status = 'pending' OR (TG_OP = 'UPDATE' AND OLD.status = 'running') THEN
        PERFORM pg_notify('claimcheck', 'jobs');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER bulk_jobs_inserted AFTER INSERT ON bulk_jobs
    FOR EACH ROW EXECUTE FUNCTION claimcheck_bulk_jobs_changed();
CREATE TRIGGER bulk_jobs_updated AFTER UPDATE ON bulk_jobs
    FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION claimcheck_bulk_jobs_changed();
