-- Batches that a producer uploads: exports that no worker takes (next_try_at = 'infinity') until they are published.

CREATE TABLE upload_batches (
    batch_id           uuid        PRIMARY KEY REFERENCES exports (batch_id) ON DELETE CASCADE,
    open_until         timestamptz NOT NULL,                 -- not published by then: cancelled
    published_at       timestamptz NULL,
    next_look_at       timestamptz NULL                      -- when it is cancelled, or its inbox swept; null: nothing is left to do
);
CREATE INDEX upload_batches_to_look_at ON upload_batches (next_look_at) WHERE next_look_at IS NOT NULL;

-- The files as the producer announced them. What arrives lies under inbox/{batch}/, where no link to read ever leads.
CREATE TABLE upload_files (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    ordinal            integer     NOT NULL,                 -- from 1, in the order of the records
    name               text        NOT NULL,
    bytes              bigint      NOT NULL,
    sha256             bytea       NOT NULL,
    records            bigint      NOT NULL,
    received_key       text        NULL,                     -- set where it came through the service, found right
    links_until        timestamptz NULL,                     -- when the last link to write it dies
    multipart_key      text        NULL,
    multipart_id       text        NULL,                     -- an upload in parts that was begun
    PRIMARY KEY (batch_id, ordinal),
    UNIQUE (batch_id, name)
);
