-- A batch that is offered once more has a manifest of its own for that, with links of its own age; null: manifest.json.
ALTER TABLE outbox ADD COLUMN manifest text NULL, ADD COLUMN manifest_expires_at timestamptz NULL;

-- The one consumer that a retry is for; * where a batch is for all.
ALTER TABLE exports ADD COLUMN consumer text NOT NULL DEFAULT '*';

-- What one consumer says of one batch, with the outcomes of retries folded in. After its end state the counts add up to the
-- batch's records, whatever is folded; what the consumer itself had said is kept beside them, so that a repetition is known.
CREATE TABLE receipts (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    consumer           text        NOT NULL,
    state              text        NOT NULL CHECK (state IN ('received', 'processing', 'completed', 'partiallyFailed', 'failed', 'discarded')),
    succeeded          bigint      NOT NULL DEFAULT 0 CHECK (succeeded >= 0),
    transient          bigint      NOT NULL DEFAULT 0 CHECK (transient >= 0),
    terminal           bigint      NOT NULL DEFAULT 0 CHECK (terminal >= 0),
    checkpoint         text        NULL,
    said_state         text        NULL,
    said_succeeded     bigint      NOT NULL DEFAULT 0,
    said_transient     bigint      NOT NULL DEFAULT 0,
    said_terminal      bigint      NOT NULL DEFAULT 0,
    listed_transient   bigint      NOT NULL DEFAULT 0,       -- failures listed by class, until the end state
    listed_terminal    bigint      NOT NULL DEFAULT 0,
    keeps_failures     boolean     NOT NULL DEFAULT false,   -- rows of record_failures, which go with the batch's end
    rounds             integer     NOT NULL DEFAULT 0,       -- rounds of retries begun
    round_batch        uuid        NULL,                     -- the last round's batch
    round_state        text        NULL CHECK (round_state IN ('open', 'lost', 'folded')),
    next_round_at      timestamptz NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (batch_id, consumer)
);
CREATE INDEX receipts_open_rounds    ON receipts (round_batch) WHERE round_state = 'open';
CREATE INDEX receipts_with_failures  ON receipts (batch_id)    WHERE keeps_failures;

-- Failed records. A key may be longer than an index takes: its digest stands for it. While a round is open its records are
-- exactly the transient ones: nothing changes them until its outcomes are folded in.
CREATE TABLE record_failures (
    batch_id           uuid        NOT NULL,
    consumer           text        NOT NULL,
    digest             bytea       NOT NULL,                 -- of the key
    key                text        NOT NULL,
    class              text        NOT NULL CHECK (class IN ('transient', 'terminal', 'succeeded')),  -- succeeded: by a retry
    code               text        NOT NULL,
    message            text        NULL,
    said               bytea       NOT NULL,                 -- a digest of class, code and message as they were said
    settled_by         uuid        NULL,                     -- the retry batch whose outcome this is
    PRIMARY KEY (batch_id, consumer, digest)
);
CREATE INDEX record_failures_transient ON record_failures (batch_id, consumer, digest) WHERE class = 'transient';
CREATE INDEX record_failures_terminal  ON record_failures (batch_id, consumer, digest) WHERE class = 'terminal';

-- Keys that an attempt at a retry did not find in the source any more.
CREATE TABLE gone_keys (
    batch_id           uuid        NOT NULL REFERENCES exports (batch_id) ON DELETE CASCADE,
    attempt            text        NOT NULL,
    digest             bytea       NOT NULL,
    PRIMARY KEY (batch_id, attempt, digest)
);

-- The dataset's definition of success, for one batch; from ready on.
CREATE TABLE deliveries (
    batch_id           uuid        PRIMARY KEY REFERENCES exports (batch_id) ON DELETE CASCADE,
    consumers          text[]      NOT NULL,
    max_terminal_ratio double precision NOT NULL,
    due_at             timestamptz NULL,
    state              text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'met', 'missed')),
    settled_at         timestamptz NULL
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE state = 'pending';
