-- Tables whose names say what they hold, and one word for a worker's right to an item: its lease. The old names stay as views, through
-- which a process of the version before goes on reading, writing and locking; each view keeps the columns as that version names them.
ALTER TABLE deletions      RENAME TO batch_deletions;
CREATE VIEW deletions      AS SELECT * FROM batch_deletions;
ALTER TABLE batch_deletions RENAME COLUMN working_until TO lease_until;

ALTER TABLE subscriptions  RENAME TO event_subscriptions;
CREATE VIEW subscriptions  AS SELECT * FROM event_subscriptions;
ALTER TABLE event_subscriptions RENAME COLUMN work_token TO lease_token;
ALTER TABLE event_subscriptions RENAME COLUMN work_until TO lease_until;

ALTER TABLE files          RENAME TO batch_files;
CREATE VIEW files          AS SELECT * FROM batch_files;
ALTER TABLE uploads        RENAME TO multipart_uploads;
CREATE VIEW uploads        AS SELECT * FROM multipart_uploads;
ALTER TABLE upload_batches RENAME TO producer_batches;
CREATE VIEW upload_batches AS SELECT * FROM producer_batches;
ALTER TABLE upload_files   RENAME TO producer_files;
CREATE VIEW upload_files   AS SELECT * FROM producer_files;
ALTER TABLE deliveries     RENAME TO delivery_goals;
CREATE VIEW deliveries     AS SELECT * FROM delivery_goals;
ALTER TABLE gone_keys      RENAME TO gone_record_keys;
CREATE VIEW gone_keys      AS SELECT * FROM gone_record_keys;
ALTER TABLE turns          RENAME TO served_shares;
CREATE VIEW turns          AS SELECT * FROM served_shares;
ALTER TABLE feed           RENAME TO event_feed;
CREATE VIEW feed           AS SELECT * FROM event_feed;
ALTER TABLE relays         RENAME TO feed_relays;
CREATE VIEW relays         AS SELECT * FROM feed_relays;
ALTER TABLE framing        RENAME TO default_framing;
CREATE VIEW framing        AS SELECT * FROM default_framing;

-- The indexes that statements rely on, and name.
ALTER INDEX upload_batches_to_look_at RENAME TO producer_batches_to_look_at;
ALTER INDEX deletions_due             RENAME TO batch_deletions_due;
ALTER INDEX deliveries_due            RENAME TO delivery_goals_due;
ALTER INDEX deliveries_open           RENAME TO delivery_goals_open;
ALTER INDEX subscriptions_to_settle   RENAME TO event_subscriptions_to_settle;
ALTER INDEX subscriptions_of_queue    RENAME TO event_subscriptions_of_queue;
ALTER INDEX subscriptions_of_hook     RENAME TO event_subscriptions_of_hook;
ALTER INDEX subscriptions_by_tenant   RENAME TO event_subscriptions_by_tenant;
ALTER INDEX subscriptions_by_consumer RENAME TO event_subscriptions_by_consumer;

CREATE OR REPLACE FUNCTION claimcheck_deletions_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'batch:' || replace(NEW.batch_id::text, '-', ''));
    IF NEW.lease_until IS NULL AND NEW.next_try_at <= now() THEN
        PERFORM pg_notify('claimcheck', 'deletions');
    END IF;
    RETURN NULL;
END $$;
