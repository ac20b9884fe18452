-- Drawn with an event's place. A catalog that is restored from a dump may publish the same event at the same place once more, behind
-- others than the first time: a cursor tells the two apart by this.
ALTER TABLE outbox ADD COLUMN publication uuid NULL;

-- What a cursor at the last forgotten place is held against: the event that was there, and its publication.
ALTER TABLE feed ADD COLUMN forgotten_event uuid NULL;
ALTER TABLE feed ADD COLUMN forgotten_publication uuid NULL;

-- Events that a topic does not have yet, though its place in the feed is behind them: they are tried by themselves, and those of other
-- batches go on. Those of the same batch wait here behind them.
CREATE TABLE topic_waiting (
    topic              text        NOT NULL,                 -- an SNS topic's ARN
    event_id           uuid        NOT NULL REFERENCES outbox (event_id) ON DELETE CASCADE,
    position           bigint      NOT NULL,                 -- the event's place in the feed
    subject            uuid        NOT NULL,                 -- the batch or job
    reason             text        NULL,                     -- why the last try failed; null: it was not tried yet
    tries              integer     NOT NULL DEFAULT 0,
    next_try_at        timestamptz NULL DEFAULT now(),       -- null: the topic will never take it
    PRIMARY KEY (topic, event_id)
);
CREATE INDEX topic_waiting_of_subject ON topic_waiting (topic, subject, position) WHERE next_try_at IS NOT NULL;
CREATE INDEX topic_waiting_of_event   ON topic_waiting (event_id);

-- A body that can't be removed just now waits behind the others.
ALTER TABLE bulk_job_intakes ADD COLUMN next_sweep_at timestamptz NULL;
