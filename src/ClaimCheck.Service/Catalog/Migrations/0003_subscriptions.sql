-- Who gets which events, and how.
CREATE TABLE subscriptions (
    id                 uuid        PRIMARY KEY,              -- UUIDv7: sorts by creation
    tenant             text        NOT NULL DEFAULT 'default',
    consumer           text        NOT NULL,
    datasets           text[]      NULL,                     -- null: all
    types              text[]      NULL,                     -- null: all
    protocol           text        NOT NULL CHECK (protocol IN ('sqs', 'webhook')),
    endpoint           text        NOT NULL,
    disabled_at        timestamptz NULL,
    created_at         timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX subscriptions_by_tenant ON subscriptions (tenant, id DESC);
