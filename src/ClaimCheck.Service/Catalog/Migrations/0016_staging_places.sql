-- Where each process that runs now stages files: processes of one catalog must use one place. A process that was killed is forgotten
-- when it has not been seen for a while.
CREATE TABLE staging_places (
    process_id uuid        PRIMARY KEY,
    place      text        NOT NULL,  -- folder:{the id in the folder}, bucket:{name}
    shown      text        NOT NULL,  -- host, process and path, for the operator
    seen_at    timestamptz NOT NULL DEFAULT now()
);
