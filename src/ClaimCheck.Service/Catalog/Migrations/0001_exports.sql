-- Times are the database's now(). Every change of state is one guarded UPDATE, in one transaction with its outbox row.

CREATE TABLE exports (
    id                 uuid        PRIMARY KEY,              -- UUIDv7: sorts by creation
    batch_id           uuid        NOT NULL UNIQUE,
    tenant             text        NOT NULL DEFAULT 'default',
    caller             text        NOT NULL,
    dataset            text        NOT NULL,
    schema_version     integer     NOT NULL,
    definition         json        NOT NULL,                 -- the dataset as it was when the export was asked for
    criteria           json        NOT NULL,                 -- canonical
    format             text        NOT NULL CHECK (format IN ('csv', 'ndjson')),
    compression        text        NOT NULL CHECK (compression IN ('gzip', 'none')),
    max_file_bytes     bigint      NOT NULL,
    link_lifetime      interval    NOT NULL,
    retention          interval    NOT NULL,
    retry_of           uuid        NULL,                     -- a batch
    state              text        NOT NULL DEFAULT 'pending'
                                   CHECK (state IN ('pending', 'running', 'ready', 'expired', 'revoked', 'failed', 'cancelled')),
    tries              integer     NOT NULL DEFAULT 0,       -- leases that ended in a failed try, not in a lost worker
    leases             integer     NOT NULL DEFAULT 0,       -- leases ever taken
    next_try_at        timestamptz NOT NULL DEFAULT now(),
    lease_token        uuid        NULL,
    lease_until        timestamptz NULL,
    attempt            text        NULL,                     -- the folder under the batch's prefix; one per lease
    manifest_expires_at timestamptz NULL,                    -- when the links inside manifest.json die
    estimated_records  bigint      NULL,
    records            bigint      NOT NULL DEFAULT 0,
    bytes              bigint      NOT NULL DEFAULT 0,
    uncompressed_bytes bigint      NOT NULL DEFAULT 0,
    files              integer     NOT NULL DEFAULT 0,
    snapshot_at        timestamptz NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz NULL,
    ready_at           timestamptz NULL,
    expires_at         timestamptz NULL,
    ended_at           timestamptz NULL,
    reason             text        NULL,
    failure_code       text        NULL,
    failure_detail     text        NULL,
    failure_transient  boolean     NULL,
    traceparent        text        NULL
);
CREATE INDEX exports_by_tenant ON exports (tenant, id DESC);
CREATE INDEX exports_to_lease  ON exports (next_try_at) WHERE state = 'pending';
CREATE INDEX exports_leased    ON exports (lease_until) WHERE state = 'running';
CREATE INDEX exports_to_expire ON exports (expires_at)  WHERE state = 'ready';
CREATE INDEX exports_retries   ON exports (retry_of)    WHERE retry_of IS NOT NULL;

-- The committed files of a batch. Objects: batches/{batch}/{attempt}/{name}, and {stem}.index.json beside it.
CREATE TABLE files (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    ordinal            integer     NOT NULL,                 -- from 1, in the order of the records
    attempt            text        NOT NULL,
    name               text        NOT NULL,
    records            bigint      NOT NULL,
    bytes              bigint      NOT NULL,
    uncompressed_bytes bigint      NOT NULL,
    sha256             bytea       NOT NULL,
    header_bytes       bigint      NOT NULL,                 -- stored bytes before the first block
    blocks             integer     NOT NULL,
    index_name         text        NOT NULL,
    index_bytes        bigint      NOT NULL,
    index_sha256       bytea       NOT NULL,
    PRIMARY KEY (batch_id, ordinal)
);

-- Kept as long as the export it made, and at least 24 hours.
CREATE TABLE idempotency_keys (
    caller             text        NOT NULL,
    key                text        NOT NULL,
    meaning            bytea       NOT NULL,                 -- SHA-256 of the canonical request
    export_id          uuid        NOT NULL REFERENCES exports (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, key)
);

-- One row per lease: what a worker that died or lost its lease may have left behind.
CREATE TABLE attempts (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    attempt            text        NOT NULL,
    lease_token        uuid        NOT NULL,
    started_at         timestamptz NOT NULL DEFAULT now(),
    abandoned_at       timestamptz NULL,                     -- set with the loss of the lease
    next_sweep_at      timestamptz NULL,                     -- null: nothing to sweep (any more)
    PRIMARY KEY (batch_id, attempt)
);
CREATE INDEX attempts_to_sweep ON attempts (next_sweep_at) WHERE next_sweep_at IS NOT NULL;

-- Every object is a multipart upload that was recorded here, under the state and lease guard, before its first part.
CREATE TABLE uploads (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    object_key         text        NOT NULL,
    upload_id          text        NOT NULL,
    attempt            text        NULL,                     -- null: a manifest, written by the relay
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch_id, object_key, upload_id)
);

-- Batches whose objects must go: inserted in the transaction of every end state.
CREATE TABLE deletions (
    batch_id           uuid        PRIMARY KEY REFERENCES exports (batch_id) ON DELETE CASCADE,
    requested_at       timestamptz NOT NULL DEFAULT now(),
    probes             jsonb       NOT NULL DEFAULT '[]',
    deleted            bigint      NOT NULL DEFAULT 0,
    remaining          bigint      NOT NULL DEFAULT 0,
    uploads_aborted    bigint      NOT NULL DEFAULT 0,
    cascaded           uuid[]      NOT NULL DEFAULT '{}',
    pending_reason     text        NULL,                     -- why it is not verified yet
    verified_at        timestamptz NULL,
    tries              integer     NOT NULL DEFAULT 0,
    next_try_at        timestamptz NULL DEFAULT now(),       -- null: done, also with the sweeps afterwards
    working_until      timestamptz NULL                      -- one eraser at a time
);
CREATE INDEX deletions_due ON deletions (next_try_at) WHERE next_try_at IS NOT NULL;

-- Who was handed links, and how often.
CREATE TABLE redemptions (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    caller             text        NOT NULL,
    times              bigint      NOT NULL DEFAULT 1,
    last_at            timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch_id, caller)
);

-- Events, without links. The relay gives positions after commit, so that a reader of positions misses nothing.
CREATE TABLE outbox (
    event_id           uuid        PRIMARY KEY,
    export_id          uuid        NOT NULL,
    batch_id           uuid        NOT NULL,
    tenant             text        NOT NULL,
    dataset            text        NOT NULL,
    type               text        NOT NULL,                 -- BulkReady, BulkRevoked, ...
    consumer           text        NOT NULL DEFAULT '*',     -- or the one consumer that it is for
    data               json        NOT NULL,
    traceparent        text        NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    position           bigint      NULL UNIQUE,
    published_at       timestamptz NULL,
    superseded_at      timestamptz NULL,                     -- a BulkReady whose batch was no longer ready at its turn
    tries              integer     NOT NULL DEFAULT 0,
    next_try_at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX outbox_waiting  ON outbox (created_at) WHERE position IS NULL AND superseded_at IS NULL;
CREATE INDEX outbox_of_batch ON outbox (batch_id);

-- One row: the last position given, and the last one deleted by retention.
CREATE TABLE feed (
    only_row           boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    head               bigint      NOT NULL,
    forgotten          bigint      NOT NULL
);
INSERT INTO feed (head, forgotten) VALUES (0, 0);

-- Wake-ups on one channel; the payload is a topic. They only save waiting: everything also looks again by itself.
CREATE FUNCTION claimcheck_exports_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'batch:' || replace(NEW.batch_id::text, '-', ''));
    IF NEW.state = 'pending' THEN
        PERFORM pg_notify('claimcheck', 'pending');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER exports_inserted AFTER INSERT ON exports
    FOR EACH ROW EXECUTE FUNCTION claimcheck_exports_changed();
CREATE TRIGGER exports_updated AFTER UPDATE ON exports
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION claimcheck_exports_changed();

CREATE FUNCTION claimcheck_deletions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'batch:' || replace(NEW.batch_id::text, '-', ''));
    IF NEW.working_until IS NULL AND NEW.next_try_at <= now() THEN
        PERFORM pg_notify('claimcheck', 'deletions');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER deletions_changed AFTER INSERT OR UPDATE ON deletions
    FOR EACH ROW EXECUTE FUNCTION claimcheck_deletions_changed();

CREATE FUNCTION claimcheck_outbox_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claimcheck', CASE WHEN NEW.position IS NULL THEN 'outbox' ELSE 'feed' END);
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_inserted AFTER INSERT ON outbox
    FOR EACH ROW EXECUTE FUNCTION claimcheck_outbox_changed();
CREATE TRIGGER outbox_positioned AFTER UPDATE ON outbox
    FOR EACH ROW WHEN (OLD.position IS DISTINCT FROM NEW.position) EXECUTE FUNCTION claimcheck_outbox_changed();
