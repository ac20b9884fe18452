-- How far each onward relay of the feed is: places are without gaps and in order, so one number says it all.
CREATE TABLE relays (
    name               text        PRIMARY KEY,              -- for example a topic's ARN
    position           bigint      NOT NULL,                 -- everything up to here is delivered (or superseded)
    moved_at           timestamptz NOT NULL DEFAULT now()
);

-- Every event goes out with a trace.
UPDATE outbox
   SET traceparent = '00-' || replace(gen_random_uuid()::text, '-', '') || '-' || substr(replace(gen_random_uuid()::text, '-', ''), 1, 16) || '-00'
 WHERE traceparent IS NULL;
ALTER TABLE outbox ALTER COLUMN traceparent SET NOT NULL;
