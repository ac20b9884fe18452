-- Whose turn it is: workers share what waits out between callers. An administrator without a consumer name is not one caller: there the dataset,
-- or the operation, stands for one.
CREATE FUNCTION claimcheck_share(tenant text, caller text, subject text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN tenant || '/' || CASE WHEN caller = 'administrator' THEN '/' || subject ELSE caller END;

-- One index of what waits, by share and then by age: the shares are found by skipping from one to the next.
CREATE INDEX exports_to_share ON exports (claimcheck_share(tenant, caller, dataset), next_try_at) WHERE state = 'pending';
-- Of jobs one more level: those of an operation that runs as often as it may wait together.
CREATE INDEX bulk_jobs_to_share ON bulk_jobs ((claimcheck_share(tenant, caller, operation) || '/' || operation), next_try_at) WHERE status = 'pending';

-- When each share was last served: of those with equally much running the one that has waited longest is next.
CREATE TABLE turns (
    queue              text        NOT NULL,                 -- exports, or jobs
    share              text        NOT NULL,
    served_at          timestamptz NOT NULL,
    PRIMARY KEY (queue, share)
);

-- Lists cost the same however much lies behind them: each filter and combination of them has the index that it is read from. The order
-- of nulls, of which there are none, is one that no other index has: else the planner, where it takes a filter for common, reads by
-- the primary key alone, through everything that lies before the first that fits.
CREATE INDEX exports_listed              ON exports (tenant, id DESC NULLS LAST);
CREATE INDEX exports_by_state            ON exports (tenant, state, id DESC NULLS LAST);
CREATE INDEX exports_by_dataset          ON exports (tenant, dataset, id DESC NULLS LAST);
CREATE INDEX exports_by_dataset_state    ON exports (tenant, dataset, state, id DESC NULLS LAST);
DROP INDEX exports_by_tenant;
-- What is erased is shown no more, and lies here for its idempotency key alone.
CREATE INDEX bulk_jobs_listed              ON bulk_jobs (tenant, id DESC NULLS LAST)                    WHERE erased_at IS NULL;
CREATE INDEX bulk_jobs_by_status           ON bulk_jobs (tenant, status, id DESC NULLS LAST)            WHERE erased_at IS NULL;
CREATE INDEX bulk_jobs_by_operation        ON bulk_jobs (tenant, operation, id DESC NULLS LAST)         WHERE erased_at IS NULL;
CREATE INDEX bulk_jobs_by_operation_status ON bulk_jobs (tenant, operation, status, id DESC NULLS LAST) WHERE erased_at IS NULL;
DROP INDEX bulk_jobs_by_tenant;
CREATE INDEX bulk_job_failures_by_class    ON bulk_job_failures (job_id, class, idx);
CREATE INDEX subscriptions_by_consumer     ON subscriptions (tenant, consumer, id DESC);
CREATE INDEX webhook_deliveries_by_state   ON webhook_deliveries (subscription_id, state, position DESC);
CREATE INDEX outbox_by_consumer            ON outbox (tenant, consumer, position NULLS FIRST)           WHERE position IS NOT NULL;

-- The service's own rounds see what is left to do, and nothing of what is done.
CREATE INDEX outbox_superseded   ON outbox (superseded_at) WHERE superseded_at IS NOT NULL;
CREATE INDEX bulk_jobs_to_sweep  ON bulk_jobs (greatest(expires_at, next_sweep_at)) WHERE expires_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX bulk_jobs_to_forget ON bulk_jobs ((CASE WHEN idempotency_key IS NULL THEN '-infinity' ELSE created_at END)) WHERE erased_at IS NOT NULL;
-- A batch that was taken back is overdue for nobody: its delivery stays pending for ever, and is not looked at again.
ALTER TABLE deliveries ADD COLUMN closed boolean NOT NULL DEFAULT false;
UPDATE deliveries d SET closed = true FROM exports e WHERE e.batch_id = d.batch_id AND d.state = 'pending' AND e.state = 'revoked';
CREATE INDEX deliveries_open ON deliveries (due_at) WHERE state = 'pending' AND NOT closed;
