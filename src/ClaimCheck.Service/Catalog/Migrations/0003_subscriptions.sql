-- Who gets which events, and how.
CREATE TABLE subscriptions (
    id                 uuid        PRIMARY KEY,              -- UUIDv7: sorts by creation
    tenant             text        NOT NULL DEFAULT 'default',
    consumer           text        NOT NULL,
    datasets           text[]      NULL,                     -- null: all; sorted
    types              text[]      NULL,                     -- null: all; sorted
    protocol           text        NOT NULL CHECK (protocol IN ('sqs', 'webhook')),
    endpoint           text        NOT NULL,
    state              text        NOT NULL DEFAULT 'active' CHECK (state IN ('pending', 'active', 'disabled', 'deleting')),
    reason             text        NULL,                     -- why it is disabled
    warnings           text[]      NOT NULL DEFAULT '{}',
    after_position     bigint      NOT NULL DEFAULT 0,       -- events up to here are older than the subscription
    disabled_at        timestamptz NULL,                     -- set with disabled and deleting
    failing_since      timestamptz NULL,                     -- webhook: since then nothing has been delivered
    topic              text        NULL,                     -- sqs: an SNS topic's ARN
    subscription_arn   text        NULL,                     -- sqs: what SNS calls it
    work_token         uuid        NULL,                     -- sqs: who is at it with SNS
    work_until         timestamptz NULL,
    next_try_at        timestamptz NULL,                     -- sqs: null where there is nothing to do
    tries              integer     NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL DEFAULT now(),
    CHECK (disabled_at IS NOT NULL OR state IN ('pending', 'active'))
);
CREATE INDEX subscriptions_by_tenant ON subscriptions (tenant, id DESC);
CREATE INDEX subscriptions_to_settle ON subscriptions (next_try_at) WHERE next_try_at IS NOT NULL;
-- SNS has at most one subscription of a queue to a topic; one that is being deleted is there still.
CREATE UNIQUE INDEX subscriptions_of_queue ON subscriptions (endpoint) WHERE protocol = 'sqs' AND state <> 'disabled';
CREATE UNIQUE INDEX subscriptions_of_hook ON subscriptions (tenant, consumer, endpoint) WHERE protocol = 'webhook' AND state <> 'disabled';

-- What a webhook is signed with: the one without an end, and those that were rotated away and sign along for a while.
CREATE TABLE webhook_secrets (
    subscription_id    uuid        NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
    secret             text        NOT NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    expires_at         timestamptz NULL,
    PRIMARY KEY (subscription_id, secret)
);

-- One event on its way to one webhook. It goes with the event, when the feed forgets it.
CREATE TABLE webhook_deliveries (
    subscription_id    uuid        NOT NULL REFERENCES subscriptions (id) ON DELETE CASCADE,
    event_id           uuid        NOT NULL REFERENCES outbox (event_id) ON DELETE CASCADE,
    position           bigint      NOT NULL,                 -- the event's place in the feed
    type               text        NOT NULL,
    state              text        NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'superseded')),
    tries              integer     NOT NULL DEFAULT 0,
    retries            integer     NOT NULL DEFAULT 0,       -- failed tries of this round; one begun by hand starts at 0
    last_status        integer     NULL,
    last_failure       text        NULL,
    lease_token        uuid        NULL,                     -- who tries just now, until next_try_at
    next_try_at        timestamptz NULL DEFAULT now(),       -- null: ended
    last_try_at        timestamptz NULL,
    ended_at           timestamptz NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subscription_id, event_id)
);
CREATE INDEX webhook_deliveries_due      ON webhook_deliveries (subscription_id, next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX webhook_deliveries_log      ON webhook_deliveries (subscription_id, position DESC);
CREATE INDEX webhook_deliveries_of_event ON webhook_deliveries (event_id);

-- Webhooks are fed from where the feed is now.
INSERT INTO relays (name, position) SELECT 'webhooks', head FROM feed;
