-- How far each onward relay of the feed is: places are without gaps and in order, so one number says it all.
CREATE TABLE relays (
    name               text        PRIMARY KEY,              -- for example a topic's ARN
    position           bigint      NOT NULL,                 -- everything up to here is delivered (or superseded)
    moved_at           timestamptz NOT NULL DEFAULT now()
);
