-- Exports by cron expression and time zone. A fire time becomes a run once: next_fire_at moves on in the transaction that inserts the run.

CREATE TABLE schedules (
    id                 uuid        PRIMARY KEY,
    tenant             text        NOT NULL DEFAULT 'default',
    name               text        NOT NULL,
    caller             text        NOT NULL,                 -- whose exports they are
    version            uuid        NOT NULL,                 -- new with each PUT; the entity tag
    series             integer     NOT NULL DEFAULT 1,       -- new with each other dataset or criteria: watermarks don't carry over
    cron               text        NOT NULL,
    time_zone          text        NOT NULL,
    export             json        NOT NULL,                 -- as it was given, with relative criteria
    catch_up           text        NOT NULL CHECK (catch_up IN ('skip', 'one', 'all')),
    overlap            text        NOT NULL CHECK (overlap IN ('skip', 'queue')),
    paused             boolean     NOT NULL,
    ends_at            timestamptz NULL,
    next_fire_at       timestamptz NULL,                     -- null: paused, or never again
    try_at             timestamptz NULL,                     -- when it is looked at: next_fire_at, or later where that went wrong
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant, name)
);
CREATE INDEX schedules_due ON schedules (try_at) WHERE try_at IS NOT NULL;

CREATE TABLE schedule_runs (
    id                 uuid        PRIMARY KEY,
    schedule_id        uuid        NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    fire_time          timestamptz NOT NULL,
    manual             boolean     NOT NULL DEFAULT false,
    key                text        NULL,                     -- the Idempotency-Key of a manual run
    state              text        NOT NULL CHECK (state IN ('queued', 'started', 'skipped', 'failed')),
    code               text        NULL,                     -- why it was skipped or has failed
    detail             text        NULL,
    missed             integer     NOT NULL DEFAULT 0,       -- earlier fire times that this run stands for
    series             integer     NOT NULL,
    watermark          timestamptz NULL,                     -- what an incremental run goes on from; null: from the beginning
    criteria           json        NULL,                     -- as they were resolved
    export_id          uuid        NULL REFERENCES exports (id) ON DELETE SET NULL,
    created_at         timestamptz NOT NULL DEFAULT now(),
    started_at         timestamptz NULL,
    try_at             timestamptz NOT NULL DEFAULT now(),   -- while queued
    away_since         timestamptz NULL,                     -- since when its source could not be reached
    UNIQUE (schedule_id, fire_time)
);
CREATE UNIQUE INDEX schedule_runs_by_key ON schedule_runs (schedule_id, key) WHERE key IS NOT NULL;
CREATE INDEX schedule_runs_queued  ON schedule_runs (schedule_id, fire_time) WHERE state = 'queued';
CREATE INDEX schedule_runs_started ON schedule_runs (schedule_id, started_at DESC) WHERE state = 'started';
CREATE INDEX schedule_runs_of_export ON schedule_runs (export_id) WHERE export_id IS NOT NULL;

CREATE FUNCTION claimcheck_schedules_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'schedules');
    RETURN NULL;
END $$;
CREATE TRIGGER schedules_inserted AFTER INSERT ON schedules
    FOR EACH ROW EXECUTE FUNCTION claimcheck_schedules_changed();
CREATE TRIGGER schedules_updated AFTER UPDATE ON schedules
    FOR EACH ROW WHEN (OLD.version IS DISTINCT FROM NEW.version) EXECUTE FUNCTION claimcheck_schedules_changed();
CREATE TRIGGER schedule_runs_queued AFTER INSERT ON schedule_runs
    FOR EACH ROW WHEN (NEW.state = 'queued') EXECUTE FUNCTION claimcheck_schedules_changed();

-- A run that waits may start when the one before it is settled.
CREATE FUNCTION claimcheck_scheduled_export_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM schedule_runs WHERE export_id = NEW.id) THEN
        PERFORM pg_notify('claimcheck', 'schedules');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER exports_settled AFTER UPDATE ON exports
    FOR EACH ROW WHEN (OLD.state IN ('pending', 'running') AND NEW.state NOT IN ('pending', 'running'))
    EXECUTE FUNCTION claimcheck_scheduled_export_settled();
