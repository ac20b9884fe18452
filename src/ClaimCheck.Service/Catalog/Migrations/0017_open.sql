-- A batch that a producer uploads is in a state of its own until it is published: open. Until now it was pending with a next try at
-- the end of time. Workers lease what is pending, and nothing else: also those of an older version that run beside this one.
ALTER TABLE exports
    DROP CONSTRAINT exports_state_check,
    ADD CONSTRAINT exports_state_check
        CHECK (state IN ('open', 'pending', 'running', 'ready', 'expired', 'revoked', 'failed', 'cancelled'));
UPDATE exports SET state = 'open', next_try_at = created_at WHERE state = 'pending' AND next_try_at = 'infinity';

-- A process of an older version still opens batches in the old way: they become open too, so that any new process can publish them.
CREATE FUNCTION claimcheck_exports_opened() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.state := 'open';
    NEW.next_try_at := NEW.created_at;
    RETURN NEW;
END $$;
CREATE TRIGGER exports_opened BEFORE UPDATE ON exports
    FOR EACH ROW WHEN (NEW.state = 'pending' AND NEW.next_try_at = 'infinity') EXECUTE FUNCTION claimcheck_exports_opened();

-- It also takes a state that it does not know for one with nothing left to look at: an open batch keeps its next look.
CREATE FUNCTION claimcheck_upload_batches_kept() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM exports WHERE batch_id = NEW.batch_id AND state = 'open') THEN
        NEW.next_look_at := greatest(NEW.open_until, now() + interval '5 seconds');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER upload_batches_kept BEFORE UPDATE ON upload_batches
    FOR EACH ROW WHEN (NEW.next_look_at IS NULL) EXECUTE FUNCTION claimcheck_upload_batches_kept();

-- A body whose receiver has gone silent is abandoned for ever: no renewal and no job comes after that, whatever its transaction's now().
ALTER TABLE bulk_job_intakes
    ADD COLUMN abandoned_at timestamptz NULL,
    ADD CHECK (abandoned_at IS NULL OR live_until <= abandoned_at);
UPDATE bulk_job_intakes SET abandoned_at = now() WHERE live_until = '-infinity';
