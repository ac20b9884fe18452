-- How fast the attempt that runs comes on, lately: written with each heartbeat, and cleared when the next attempt begins. Null before anything
-- is stored, and for exports of the version before.
ALTER TABLE exports
    ADD COLUMN records_per_second float8 NULL,
    ADD COLUMN bytes_per_second   float8 NULL;
