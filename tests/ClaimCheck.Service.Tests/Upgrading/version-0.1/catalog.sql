SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.claimcheck_bulk_jobs_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'job:' || replace(NEW.id::text, '-', ''));
    IF NEW.status = 'pending' OR (TG_OP = 'UPDATE' AND OLD.status = 'running') THEN
        PERFORM pg_notify('claimcheck', 'jobs');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION public.claimcheck_deletions_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'batch:' || replace(NEW.batch_id::text, '-', ''));
    IF NEW.working_until IS NULL AND NEW.next_try_at <= now() THEN
        PERFORM pg_notify('claimcheck', 'deletions');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION public.claimcheck_exports_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'batch:' || replace(NEW.batch_id::text, '-', ''));
    IF NEW.state = 'pending' THEN
        PERFORM pg_notify('claimcheck', 'pending');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION public.claimcheck_outbox_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('claimcheck', CASE WHEN NEW.position IS NULL THEN 'outbox' ELSE 'feed' END);
    RETURN NULL;
END $$;
CREATE FUNCTION public.claimcheck_scheduled_export_settled() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    IF EXISTS (SELECT FROM schedule_runs WHERE export_id = NEW.id) THEN
        PERFORM pg_notify('claimcheck', 'schedules');
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION public.claimcheck_schedules_changed() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    PERFORM pg_notify('claimcheck', 'schedules');
    RETURN NULL;
END $$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.attempts (
    batch_id uuid NOT NULL,
    attempt text NOT NULL,
    lease_token uuid NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    abandoned_at timestamp with time zone,
    next_sweep_at timestamp with time zone
);
CREATE TABLE public.bulk_job_failures (
    job_id uuid NOT NULL,
    idx bigint NOT NULL,
    key text,
    class text NOT NULL,
    code text NOT NULL,
    message text NOT NULL,
    round integer DEFAULT 0 NOT NULL,
    CONSTRAINT bulk_job_failures_class_check CHECK ((class = ANY (ARRAY['transient'::text, 'terminal'::text])))
);
CREATE TABLE public.bulk_job_intakes (
    job_id uuid NOT NULL,
    live_until timestamp with time zone NOT NULL
);
CREATE TABLE public.bulk_job_uploads (
    job_id uuid NOT NULL,
    object_key text NOT NULL,
    upload_id text NOT NULL
);
CREATE TABLE public.bulk_jobs (
    id uuid NOT NULL,
    tenant text DEFAULT 'default'::text NOT NULL,
    caller text NOT NULL,
    operation text NOT NULL,
    definition json NOT NULL,
    concurrency integer NOT NULL,
    source text NOT NULL,
    body bytea,
    body_key text,
    body_bytes bigint DEFAULT 0 NOT NULL,
    body_index bytea,
    claim_url text,
    body_of uuid,
    retry_of uuid,
    retry_class text,
    total_items bigint,
    status text DEFAULT 'pending'::text NOT NULL,
    cancel_requested_at timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    leases integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_token uuid,
    lease_until timestamp with time zone,
    next_chunk bigint DEFAULT 0 NOT NULL,
    processed bigint DEFAULT 0 NOT NULL,
    succeeded bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    completed_at timestamp with time zone,
    ttl interval NOT NULL,
    expires_at timestamp with time zone,
    erased_at timestamp with time zone,
    next_sweep_at timestamp with time zone,
    result_key text,
    failure_code text,
    failure_detail text,
    failure_transient boolean,
    idempotency_owner text,
    idempotency_key text,
    meaning bytea,
    traceparent text,
    retry_from bigint DEFAULT 0 NOT NULL,
    CONSTRAINT bulk_jobs_source_check CHECK ((source = ANY (ARRAY['inline'::text, 'staged'::text, 'claim'::text, 'retry'::text]))),
    CONSTRAINT bulk_jobs_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'running'::text, 'completed'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE TABLE public.deletions (
    batch_id uuid NOT NULL,
    requested_at timestamp with time zone DEFAULT now() NOT NULL,
    probes jsonb DEFAULT '[]'::jsonb NOT NULL,
    deleted bigint DEFAULT 0 NOT NULL,
    remaining bigint DEFAULT 0 NOT NULL,
    uploads_aborted bigint DEFAULT 0 NOT NULL,
    cascaded uuid[] DEFAULT '{}'::uuid[] NOT NULL,
    pending_reason text,
    verified_at timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT now(),
    working_until timestamp with time zone
);
CREATE TABLE public.deliveries (
    batch_id uuid NOT NULL,
    consumers text[] NOT NULL,
    max_terminal_ratio double precision NOT NULL,
    due_at timestamp with time zone,
    state text DEFAULT 'pending'::text NOT NULL,
    settled_at timestamp with time zone,
    CONSTRAINT deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'met'::text, 'missed'::text])))
);
CREATE TABLE public.exports (
    id uuid NOT NULL,
    batch_id uuid NOT NULL,
    tenant text DEFAULT 'default'::text NOT NULL,
    caller text NOT NULL,
    dataset text NOT NULL,
    schema_version integer NOT NULL,
    definition json NOT NULL,
    criteria json NOT NULL,
    format text NOT NULL,
    compression text NOT NULL,
    max_file_bytes bigint NOT NULL,
    link_lifetime interval NOT NULL,
    retention interval NOT NULL,
    retry_of uuid,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    leases integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_token uuid,
    lease_until timestamp with time zone,
    attempt text,
    manifest_expires_at timestamp with time zone,
    estimated_records bigint,
    records bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    uncompressed_bytes bigint DEFAULT 0 NOT NULL,
    files integer DEFAULT 0 NOT NULL,
    snapshot_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    ready_at timestamp with time zone,
    expires_at timestamp with time zone,
    ended_at timestamp with time zone,
    reason text,
    failure_code text,
    failure_detail text,
    failure_transient boolean,
    traceparent text,
    consumer text DEFAULT '*'::text NOT NULL,
    CONSTRAINT exports_compression_check CHECK ((compression = ANY (ARRAY['gzip'::text, 'none'::text]))),
    CONSTRAINT exports_format_check CHECK ((format = ANY (ARRAY['csv'::text, 'ndjson'::text]))),
    CONSTRAINT exports_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'running'::text, 'ready'::text, 'expired'::text, 'revoked'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE TABLE public.feed (
    only_row boolean DEFAULT true NOT NULL,
    head bigint NOT NULL,
    forgotten bigint NOT NULL,
    CONSTRAINT feed_only_row_check CHECK (only_row)
);
CREATE TABLE public.files (
    batch_id uuid NOT NULL,
    ordinal integer NOT NULL,
    attempt text NOT NULL,
    name text NOT NULL,
    records bigint NOT NULL,
    bytes bigint NOT NULL,
    uncompressed_bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    header_bytes bigint NOT NULL,
    blocks integer NOT NULL,
    index_name text NOT NULL,
    index_bytes bigint NOT NULL,
    index_sha256 bytea NOT NULL
);
CREATE TABLE public.gone_keys (
    batch_id uuid NOT NULL,
    attempt text NOT NULL,
    digest bytea NOT NULL
);
CREATE TABLE public.idempotency_keys (
    caller text NOT NULL,
    key text NOT NULL,
    meaning bytea NOT NULL,
    export_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.outbox (
    event_id uuid NOT NULL,
    export_id uuid,
    batch_id uuid,
    tenant text NOT NULL,
    dataset text NOT NULL,
    type text NOT NULL,
    consumer text DEFAULT '*'::text NOT NULL,
    data json NOT NULL,
    traceparent text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    "position" bigint,
    published_at timestamp with time zone,
    superseded_at timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    next_try_at timestamp with time zone DEFAULT now() NOT NULL,
    manifest text,
    manifest_expires_at timestamp with time zone,
    job_id uuid,
    CONSTRAINT outbox_check CHECK ((num_nonnulls(batch_id, job_id) = 1))
);
CREATE TABLE public.receipts (
    batch_id uuid NOT NULL,
    consumer text NOT NULL,
    state text NOT NULL,
    succeeded bigint DEFAULT 0 NOT NULL,
    transient bigint DEFAULT 0 NOT NULL,
    terminal bigint DEFAULT 0 NOT NULL,
    checkpoint text,
    said_state text,
    said_succeeded bigint DEFAULT 0 NOT NULL,
    said_transient bigint DEFAULT 0 NOT NULL,
    said_terminal bigint DEFAULT 0 NOT NULL,
    listed_transient bigint DEFAULT 0 NOT NULL,
    listed_terminal bigint DEFAULT 0 NOT NULL,
    keeps_failures boolean DEFAULT false NOT NULL,
    rounds integer DEFAULT 0 NOT NULL,
    round_batch uuid,
    round_state text,
    next_round_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT receipts_round_state_check CHECK ((round_state = ANY (ARRAY['open'::text, 'lost'::text, 'folded'::text]))),
    CONSTRAINT receipts_state_check CHECK ((state = ANY (ARRAY['received'::text, 'processing'::text, 'completed'::text, 'partiallyFailed'::text, 'failed'::text, 'discarded'::text]))),
    CONSTRAINT receipts_succeeded_check CHECK ((succeeded >= 0)),
    CONSTRAINT receipts_terminal_check CHECK ((terminal >= 0)),
    CONSTRAINT receipts_transient_check CHECK ((transient >= 0))
);
CREATE TABLE public.record_failures (
    batch_id uuid NOT NULL,
    consumer text NOT NULL,
    digest bytea NOT NULL,
    key text NOT NULL,
    class text NOT NULL,
    code text NOT NULL,
    message text,
    said bytea NOT NULL,
    settled_by uuid,
    CONSTRAINT record_failures_class_check CHECK ((class = ANY (ARRAY['transient'::text, 'terminal'::text, 'succeeded'::text])))
);
CREATE TABLE public.redemptions (
    batch_id uuid NOT NULL,
    caller text NOT NULL,
    times bigint DEFAULT 1 NOT NULL,
    last_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.relays (
    name text NOT NULL,
    "position" bigint NOT NULL,
    moved_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.schedule_runs (
    id uuid NOT NULL,
    schedule_id uuid NOT NULL,
    fire_time timestamp with time zone NOT NULL,
    manual boolean DEFAULT false NOT NULL,
    key text,
    state text NOT NULL,
    code text,
    detail text,
    missed integer DEFAULT 0 NOT NULL,
    series integer NOT NULL,
    watermark timestamp with time zone,
    criteria json,
    export_id uuid,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    started_at timestamp with time zone,
    try_at timestamp with time zone DEFAULT now() NOT NULL,
    away_since timestamp with time zone,
    CONSTRAINT schedule_runs_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'started'::text, 'skipped'::text, 'failed'::text])))
);
CREATE TABLE public.schedules (
    id uuid NOT NULL,
    tenant text DEFAULT 'default'::text NOT NULL,
    name text NOT NULL,
    caller text NOT NULL,
    version uuid NOT NULL,
    series integer DEFAULT 1 NOT NULL,
    cron text NOT NULL,
    time_zone text NOT NULL,
    export json NOT NULL,
    catch_up text NOT NULL,
    overlap text NOT NULL,
    paused boolean NOT NULL,
    ends_at timestamp with time zone,
    next_fire_at timestamp with time zone,
    try_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    updated_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT schedules_catch_up_check CHECK ((catch_up = ANY (ARRAY['skip'::text, 'one'::text, 'all'::text]))),
    CONSTRAINT schedules_overlap_check CHECK ((overlap = ANY (ARRAY['skip'::text, 'queue'::text])))
);
CREATE TABLE public.schema_versions (
    version integer NOT NULL,
    name text NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.subscriptions (
    id uuid NOT NULL,
    tenant text DEFAULT 'default'::text NOT NULL,
    consumer text NOT NULL,
    datasets text[],
    types text[],
    protocol text NOT NULL,
    endpoint text NOT NULL,
    state text DEFAULT 'active'::text NOT NULL,
    reason text,
    warnings text[] DEFAULT '{}'::text[] NOT NULL,
    after_position bigint DEFAULT 0 NOT NULL,
    disabled_at timestamp with time zone,
    failing_since timestamp with time zone,
    topic text,
    subscription_arn text,
    work_token uuid,
    work_until timestamp with time zone,
    next_try_at timestamp with time zone,
    tries integer DEFAULT 0 NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT subscriptions_check CHECK (((disabled_at IS NOT NULL) OR (state = ANY (ARRAY['pending'::text, 'active'::text])))),
    CONSTRAINT subscriptions_protocol_check CHECK ((protocol = ANY (ARRAY['sqs'::text, 'webhook'::text]))),
    CONSTRAINT subscriptions_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'active'::text, 'disabled'::text, 'deleting'::text])))
);
CREATE TABLE public.upload_batches (
    batch_id uuid NOT NULL,
    open_until timestamp with time zone NOT NULL,
    published_at timestamp with time zone,
    next_look_at timestamp with time zone
);
CREATE TABLE public.upload_files (
    batch_id uuid NOT NULL,
    ordinal integer NOT NULL,
    name text NOT NULL,
    bytes bigint NOT NULL,
    sha256 bytea NOT NULL,
    records bigint NOT NULL,
    received_key text,
    links_until timestamp with time zone,
    multipart_key text,
    multipart_id text
);
CREATE TABLE public.uploads (
    batch_id uuid NOT NULL,
    object_key text NOT NULL,
    upload_id text NOT NULL,
    attempt text,
    created_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.webhook_deliveries (
    subscription_id uuid NOT NULL,
    event_id uuid NOT NULL,
    "position" bigint NOT NULL,
    type text NOT NULL,
    state text DEFAULT 'pending'::text NOT NULL,
    tries integer DEFAULT 0 NOT NULL,
    retries integer DEFAULT 0 NOT NULL,
    last_status integer,
    last_failure text,
    lease_token uuid,
    next_try_at timestamp with time zone DEFAULT now(),
    last_try_at timestamp with time zone,
    ended_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT webhook_deliveries_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'delivered'::text, 'failed'::text, 'superseded'::text])))
);
CREATE TABLE public.webhook_secrets (
    subscription_id uuid NOT NULL,
    secret text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone
);
INSERT INTO public.attempts VALUES
	('01a22b89-6129-7238-9024-362767092ddd', 'aed24b158e20f1ce', '91d32c76-0b78-4893-abd3-ba0ec12eb305', '2026-11-30 08:19:13.354698+00', NULL, NULL),
	('01a22b89-6328-70bb-8a43-34b901a88ea0', '370bd4a99b139240', '3ca936fa-b751-4c02-88f2-203b57aabcb3', '2026-11-30 08:19:13.838549+00', NULL, NULL),
	('01a22b89-63cf-77c6-bc8a-0df2dde171c4', '2322e9fb93c62af5', '9a880082-bb64-45e4-aceb-5fd8035e20ea', '2026-11-30 08:19:14.00539+00', NULL, NULL),
	('01a22b89-6447-7e61-82a2-cd2b4aac8601', 'd0ebff6dfa7a8370', '741baf7f-2a0a-47ca-a5fd-be5e131b5d3b', '2026-11-30 08:19:14.121989+00', NULL, NULL),
	('01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'd0b97b22f7c5b5ca', 'feadcdb2-5063-41d4-bff0-a8d0f80dcd3d', '2026-11-30 08:19:14.251848+00', NULL, NULL),
	('01a22b89-653f-716e-bb04-024fd28e6c8f', '6db33645c94fba6a', '72e6c78a-d34c-4318-9190-b6c87f0b67a4', '2026-11-30 08:19:14.371119+00', NULL, NULL),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 'db1751ad1e32ab73', '488f6d4f-369f-43f7-b74c-7ffe00dd3300', '2026-11-30 08:19:14.618078+00', NULL, NULL);
INSERT INTO public.exports VALUES
	('01a22b89-6128-73c3-906d-448287bea948', '01a22b89-6129-7238-9024-362767092ddd', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{}', 'csv', 'gzip', 65536, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:13.336001+00', NULL, NULL, 'aed24b158e20f1ce', '2026-11-30 09:19:14+00', NULL, 3900, 81523, 317866, 2, '2026-11-30 08:19:13.407305+00', '2026-11-30 08:19:13.336001+00', '2026-11-30 08:19:13.354698+00', '2026-11-30 08:19:13.571706+00', '2026-12-07 08:19:13.571706+00', NULL, NULL, NULL, NULL, NULL, '00-dc2524ee409c028685ea4ddd93e069fe-b2e3893682215ba5-00', '*'),
	('01a22b89-6328-7453-be87-579304324fb9', '01a22b89-6328-70bb-8a43-34b901a88ea0', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{"status":"cancelled"}', 'ndjson', 'gzip', 65536, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:13.833292+00', NULL, NULL, '370bd4a99b139240', '2026-11-30 09:19:14+00', NULL, 780, 17619, 125686, 1, '2026-11-30 08:19:13.850192+00', '2026-11-30 08:19:13.833292+00', '2026-11-30 08:19:13.838549+00', '2026-11-30 08:19:13.892697+00', '2026-12-07 08:19:13.892697+00', NULL, NULL, NULL, NULL, NULL, '00-b5f2d4cdb2c23347c1b861a397585258-66a2117ca9ad3141-00', '*'),
	('01a22b89-63cf-7e60-badf-6d5b0eaeca03', '01a22b89-63cf-77c6-bc8a-0df2dde171c4', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{"since":"2026-06-20T00:00:00Z"}', 'csv', 'none', 65536, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:14.000482+00', NULL, NULL, '2322e9fb93c62af5', '2026-11-30 09:19:15+00', NULL, 59, 4827, 4827, 1, '2026-11-30 08:19:14.01898+00', '2026-11-30 08:19:14.000482+00', '2026-11-30 08:19:14.00539+00', '2026-11-30 08:19:14.032585+00', '2026-12-07 08:19:14.032585+00', NULL, NULL, NULL, NULL, NULL, '00-6e9235000523a12da35d122890401e6d-89f8435f4cdc85ca-00', '*'),
	('01a22b89-6446-7a50-948d-847afda56cf2', '01a22b89-6447-7e61-82a2-cd2b4aac8601', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{"since":"2026-06-20T00:00:00Z"}', 'ndjson', 'none', 268435456, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:14.119497+00', NULL, NULL, 'd0ebff6dfa7a8370', '2026-11-30 09:19:15+00', NULL, 59, 9185, 9185, 1, '2026-11-30 08:19:14.131551+00', '2026-11-30 08:19:14.119497+00', '2026-11-30 08:19:14.121989+00', '2026-11-30 08:19:14.15425+00', '2026-12-07 08:19:14.15425+00', NULL, NULL, NULL, NULL, NULL, '00-e9400247e10d5823b797c9bb131844bd-f5aa8e32bb21bd60-00', '*'),
	('01a22b89-64c8-75be-801b-101d7369ffa4', '01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{"since":"2999-01-01T00:00:00Z"}', 'csv', 'gzip', 268435456, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:14.249291+00', NULL, NULL, 'd0b97b22f7c5b5ca', '2026-11-30 09:19:15+00', NULL, 0, 67, 51, 1, '2026-11-30 08:19:14.264075+00', '2026-11-30 08:19:14.249291+00', '2026-11-30 08:19:14.251848+00', '2026-11-30 08:19:14.28015+00', '2026-12-07 08:19:14.28015+00', NULL, NULL, NULL, NULL, NULL, '00-8190a53158eb68231df305beeb6d47b6-5f955e6e20a825cf-00', '*'),
	('01a22b89-65c9-7b73-8ea0-0bf9bc63fb4e', '01a22b89-65c9-7fb5-a626-c63c5929f997', 'default', 'administrator', 'produced', 1, '{"name":"produced","isUploaded":true,"source":"","sql":"","parameters":{},"key":"id","orderedBy":null,"schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":true},{"name":"note","type":"text","nullable":true}],"delivery":null}', '{}', 'csv', 'gzip', 268435456, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:14.614957+00', NULL, NULL, 'db1751ad1e32ab73', '2026-11-30 09:19:15+00', NULL, 3, 80, 40, 1, '2026-11-30 08:19:14.614957+00', '2026-11-30 08:19:14.50666+00', '2026-11-30 08:19:14.618078+00', '2026-11-30 08:19:14.668048+00', '2026-12-07 08:19:14.668048+00', NULL, NULL, NULL, NULL, NULL, '00-db025b5dc48c5f5418a7cf3885831fe9-1ba1f5e6cc9bc038-00', '*'),
	('01a22b89-653f-7357-acfc-1c1277b1c84a', '01a22b89-653f-716e-bb04-024fd28e6c8f', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{"since":"2999-01-01T00:00:00Z"}', 'ndjson', 'gzip', 268435456, '01:00:00', '7 days', NULL, 'ready', 0, 1, '2026-11-30 08:19:14.368304+00', NULL, NULL, '6db33645c94fba6a', '2026-11-30 09:19:15+00', NULL, 0, 20, 0, 1, '2026-11-30 08:19:14.386884+00', '2026-11-30 08:19:14.368304+00', '2026-11-30 08:19:14.371119+00', '2026-11-30 08:19:14.402251+00', '2026-12-07 08:19:14.402251+00', NULL, NULL, NULL, NULL, NULL, '00-caeb3e57c147c9ff92c43acd15a5206c-4b1881ee5f463de2-00', '*'),
	('01a22b89-6f87-700c-8548-c710e6463d46', '01a22b89-6f89-7e62-a40b-90c2ce0915fa', 'default', 'administrator', 'orders', 1, '{"name":"orders","isUploaded":false,"source":"sample","sql":"-- A parameter that is left out is NULL: the planner then drops its condition.\nSELECT id,\n       customer,\n       status,\n       amount,\n       currency,\n       note,\n       created_at\n  FROM orders\n WHERE (:since IS NULL OR created_at >= :since)\n   AND (:status IS NULL OR status = :status)\n ORDER BY id","parameters":{"since":"timestamptz","status":"text"},"key":"id","orderedBy":"id","schemaVersion":1,"columns":[{"name":"id","type":"bigint","nullable":false},{"name":"customer","type":"text","nullable":false},{"name":"status","type":"text","nullable":false},{"name":"amount","type":"numeric(12,2)","nullable":false},{"name":"currency","type":"character(3)","nullable":false},{"name":"note","type":"text","nullable":true},{"name":"created_at","type":"timestamp with time zone","nullable":false}],"delivery":null}', '{"status":"cancelled"}', 'csv', 'gzip', 268435456, '01:00:00', '7 days', NULL, 'pending', 0, 0, '2026-11-30 08:19:17.02247+00', NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, NULL, '2026-11-30 08:19:17.02247+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '00-58370690d84ad1d4585c9dbfae46efa5-2f9feac2037f713f-00', '*');
INSERT INTO public.feed VALUES
	(true, 7, 0);
INSERT INTO public.files VALUES
	('01a22b89-6129-7238-9024-362767092ddd', 1, 'aed24b158e20f1ce', 'part-00001.csv.gz', 3028, 63162, 246529, '\x62fbfe76a67f26350b97863bae4c7ee1026f9ba1ced0bd88e219834c6aea7574', 67, 15, 'part-00001.index.json', 2197, '\xcf18fd947d3804a675d4f537095e5f1f088004eef0dca4cc4b0c05bbf24df544'),
	('01a22b89-6129-7238-9024-362767092ddd', 2, 'aed24b158e20f1ce', 'part-00002.csv.gz', 872, 18361, 71337, '\xca4b167293cb7a3585813bd954cca978c1623f1fec3bdd3ca7f378830d6aff45', 67, 5, 'part-00002.index.json', 735, '\xafcbeab5ace4651573ab4d2fa15fccfc71ade06e8a2a9e1c6e01b3f549a92524'),
	('01a22b89-6328-70bb-8a43-34b901a88ea0', 1, '370bd4a99b139240', 'part-00001.ndjson.gz', 780, 17619, 125686, '\x5c289b2b784ef60a8c87e343b4b30bb4778477edd88c929ba7fff7c8c603c976', 0, 8, 'part-00001.index.json', 1171, '\x770fa7f02a64e16632fed475bc4c042de4d33a1ddcff5596c1606ed0ed3c103b'),
	('01a22b89-63cf-77c6-bc8a-0df2dde171c4', 1, '2322e9fb93c62af5', 'part-00001.csv', 59, 4827, 4827, '\x345a2b0ebf434032b222446de2ab6abb24a562dca4233576c4f01fee486f1836', 51, 1, 'part-00001.index.json', 153, '\x09ba2d17368b9af41b49f1f6f415ce9131b3396e348dbc02ddedaa47f829ddcd'),
	('01a22b89-6447-7e61-82a2-cd2b4aac8601', 1, 'd0ebff6dfa7a8370', 'part-00001.ndjson', 59, 9185, 9185, '\x7b3408346b4f2625cf5112957fc25dc459fb74c90865806eaae37904249a441a', 0, 1, 'part-00001.index.json', 152, '\x2b4b7bcb4770152352a17cf5156cdcb61bffaa70ed8937a31113d6f3cab76b7a'),
	('01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 1, 'd0b97b22f7c5b5ca', 'part-00001.csv.gz', 0, 67, 51, '\xbcb445225d0eadfeabc56069c892952a3d35adb5f41ee30914044fed4e93cf8f', 67, 0, 'part-00001.index.json', 13, '\x6265055fb526dd105a7b3bb34ad42c83cbfe47d8a1ed82de234687ee92df4d2c'),
	('01a22b89-653f-716e-bb04-024fd28e6c8f', 1, '6db33645c94fba6a', 'part-00001.ndjson.gz', 0, 20, 0, '\xac73670af3abed54ac6fb4695131f4099be9fbe39d6076c5d0264a6bbdae9d83', 0, 0, 'part-00001.index.json', 13, '\x6265055fb526dd105a7b3bb34ad42c83cbfe47d8a1ed82de234687ee92df4d2c'),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 1, 'db1751ad1e32ab73', 'part-00001.csv.gz', 3, 80, 40, '\x66483ea2f5ac95aa37dba4bedd8dec826cde730148c029c3a58c8ae78420e139', 28, 1, 'part-00001.index.json', 148, '\x41d19654c15aae18fdf43f7e4620d6cb80266b4cbd64aff6d147c3b8923f1ce6');
INSERT INTO public.outbox VALUES
	('01a22b89-623b-7676-a1ff-df22dfe86385', '01a22b89-6128-73c3-906d-448287bea948', '01a22b89-6129-7238-9024-362767092ddd', 'default', 'orders', 'BulkReady', '*', '{"exportId":"exp_01a22b89612873c3906d448287bea948","batchId":"bat_01a22b89612972389024362767092ddd","dataset":"orders","schemaVersion":1,"retryOf":null,"records":3900,"bytes":81523,"files":2,"format":"csv","compression":"gzip"}', '00-c3e71c8748cdef7dde17fa6f8374342c-c0ea3465d7d72b5b-00', '2026-11-30 08:19:13.571706+00', 1, '2026-11-30 08:19:13.686244+00', NULL, 0, '2026-11-30 08:19:13.571706+00', NULL, '2026-11-30 09:19:14+00', NULL),
	('01a22b89-6366-77ab-8e0e-b6ae921ca9a5', '01a22b89-6328-7453-be87-579304324fb9', '01a22b89-6328-70bb-8a43-34b901a88ea0', 'default', 'orders', 'BulkReady', '*', '{"exportId":"exp_01a22b8963287453be87579304324fb9","batchId":"bat_01a22b89632870bb8a4334b901a88ea0","dataset":"orders","schemaVersion":1,"retryOf":null,"records":780,"bytes":17619,"files":1,"format":"ndjson","compression":"gzip"}', '00-f57fff50d033d7bf3404f005f4fbd092-909ca1e83ae704c9-00', '2026-11-30 08:19:13.892697+00', 2, '2026-11-30 08:19:13.904643+00', NULL, 0, '2026-11-30 08:19:13.892697+00', NULL, '2026-11-30 09:19:14+00', NULL),
	('01a22b89-63f2-780a-8ff0-2d607f50398d', '01a22b89-63cf-7e60-badf-6d5b0eaeca03', '01a22b89-63cf-77c6-bc8a-0df2dde171c4', 'default', 'orders', 'BulkReady', '*', '{"exportId":"exp_01a22b8963cf7e60badf6d5b0eaeca03","batchId":"bat_01a22b8963cf77c6bc8a0df2dde171c4","dataset":"orders","schemaVersion":1,"retryOf":null,"records":59,"bytes":4827,"files":1,"format":"csv","compression":"none"}', '00-3edb237a1e4abbcef449a4fe14888c98-1d5e4e8c5e20e478-00', '2026-11-30 08:19:14.032585+00', 3, '2026-11-30 08:19:14.043046+00', NULL, 0, '2026-11-30 08:19:14.032585+00', NULL, '2026-11-30 09:19:15+00', NULL),
	('01a22b89-646d-717d-85ad-fa1acfdb3a69', '01a22b89-6446-7a50-948d-847afda56cf2', '01a22b89-6447-7e61-82a2-cd2b4aac8601', 'default', 'orders', 'BulkReady', '*', '{"exportId":"exp_01a22b8964467a50948d847afda56cf2","batchId":"bat_01a22b8964477e6182a2cd2b4aac8601","dataset":"orders","schemaVersion":1,"retryOf":null,"records":59,"bytes":9185,"files":1,"format":"ndjson","compression":"none"}', '00-09d11cb11db032e0e4d863ba778ddf45-41b2974b648ac217-00', '2026-11-30 08:19:14.15425+00', 4, '2026-11-30 08:19:14.167583+00', NULL, 0, '2026-11-30 08:19:14.15425+00', NULL, '2026-11-30 09:19:15+00', NULL),
	('01a22b89-64e9-7c9f-9843-331430787ab3', '01a22b89-64c8-75be-801b-101d7369ffa4', '01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'default', 'orders', 'BulkReady', '*', '{"exportId":"exp_01a22b8964c875be801b101d7369ffa4","batchId":"bat_01a22b8964c87d838b6fb6c86e3282fa","dataset":"orders","schemaVersion":1,"retryOf":null,"records":0,"bytes":67,"files":1,"format":"csv","compression":"gzip"}', '00-aa90ec066bd0832af141dfb378c73762-1c98d9b188a92616-00', '2026-11-30 08:19:14.28015+00', 5, '2026-11-30 08:19:14.290198+00', NULL, 0, '2026-11-30 08:19:14.28015+00', NULL, '2026-11-30 09:19:15+00', NULL),
	('01a22b89-6564-75eb-aa85-253fc84866e5', '01a22b89-653f-7357-acfc-1c1277b1c84a', '01a22b89-653f-716e-bb04-024fd28e6c8f', 'default', 'orders', 'BulkReady', '*', '{"exportId":"exp_01a22b89653f7357acfc1c1277b1c84a","batchId":"bat_01a22b89653f716ebb04024fd28e6c8f","dataset":"orders","schemaVersion":1,"retryOf":null,"records":0,"bytes":20,"files":1,"format":"ndjson","compression":"gzip"}', '00-6e836c33dab235fbb71f9a92d2433b8e-a6134592a3de0f27-00', '2026-11-30 08:19:14.402251+00', 6, '2026-11-30 08:19:14.412425+00', NULL, 0, '2026-11-30 08:19:14.402251+00', NULL, '2026-11-30 09:19:15+00', NULL),
	('01a22b89-666d-731a-ba13-0a884548523c', '01a22b89-65c9-7b73-8ea0-0bf9bc63fb4e', '01a22b89-65c9-7fb5-a626-c63c5929f997', 'default', 'produced', 'BulkReady', '*', '{"exportId":"exp_01a22b8965c97b738ea00bf9bc63fb4e","batchId":"bat_01a22b8965c97fb5a626c63c5929f997","dataset":"produced","schemaVersion":1,"retryOf":null,"records":3,"bytes":80,"files":1,"format":"csv","compression":"gzip"}', '00-768ea41335fab9be73c8700ad4452fa9-249ff07323723294-00', '2026-11-30 08:19:14.668048+00', 7, '2026-11-30 08:19:14.675866+00', NULL, 0, '2026-11-30 08:19:14.668048+00', NULL, '2026-11-30 09:19:15+00', NULL);
INSERT INTO public.redemptions VALUES
	('01a22b89-6129-7238-9024-362767092ddd', 'administrator', 1, '2026-11-30 08:19:13.785513+00'),
	('01a22b89-6328-70bb-8a43-34b901a88ea0', 'administrator', 1, '2026-11-30 08:19:13.972708+00'),
	('01a22b89-63cf-77c6-bc8a-0df2dde171c4', 'administrator', 1, '2026-11-30 08:19:14.099167+00'),
	('01a22b89-6447-7e61-82a2-cd2b4aac8601', 'administrator', 1, '2026-11-30 08:19:14.226952+00'),
	('01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'administrator', 1, '2026-11-30 08:19:14.347314+00'),
	('01a22b89-653f-716e-bb04-024fd28e6c8f', 'administrator', 1, '2026-11-30 08:19:14.470906+00'),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 'administrator', 1, '2026-11-30 08:19:14.917721+00');
INSERT INTO public.relays VALUES
	('webhooks', 7, '2026-11-30 08:19:14.677579+00');
INSERT INTO public.schema_versions VALUES
	(1, 'exports', '2026-11-30 08:19:11.928998+00'),
	(2, 'relays', '2026-11-30 08:19:11.928998+00'),
	(3, 'subscriptions', '2026-11-30 08:19:11.928998+00'),
	(4, 'receipts', '2026-11-30 08:19:11.928998+00'),
	(5, 'bulk_jobs', '2026-11-30 08:19:11.928998+00'),
	(6, 'schedules', '2026-11-30 08:19:11.928998+00'),
	(7, 'uploads', '2026-11-30 08:19:11.928998+00'),
	(8, 'bulk_job_retries', '2026-11-30 08:19:11.928998+00');
INSERT INTO public.upload_batches VALUES
	('01a22b89-65c9-7fb5-a626-c63c5929f997', '2026-12-01 08:19:14.50666+00', '2026-11-30 08:19:14.614957+00', '2026-11-30 08:19:19.614957+00');
INSERT INTO public.upload_files VALUES
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 1, 'produced.csv.gz', 59, '\x0606b2fe4648944dd4025e9a7253e07d2160f9f3832ef2523adbd47f985e748a', 3, 'inbox/bat_01a22b8965c97fb5a626c63c5929f997/00001-43d84126ee378ef0', '2026-11-30 09:19:15+00', NULL, NULL);
INSERT INTO public.uploads VALUES
	('01a22b89-6129-7238-9024-362767092ddd', 'batches/bat_01a22b89612972389024362767092ddd/aed24b158e20f1ce/part-00001.csv.gz', '6abd15af18294b42b626f1db626d9ac5', 'aed24b158e20f1ce', '2026-11-30 08:19:13.502141+00'),
	('01a22b89-6129-7238-9024-362767092ddd', 'batches/bat_01a22b89612972389024362767092ddd/aed24b158e20f1ce/part-00001.index.json', 'dd6988a7d247463fa19fc974b92ae4cb', 'aed24b158e20f1ce', '2026-11-30 08:19:13.529936+00'),
	('01a22b89-6129-7238-9024-362767092ddd', 'batches/bat_01a22b89612972389024362767092ddd/aed24b158e20f1ce/part-00002.csv.gz', '3aa5b373cc7c459fa8d2c0bcfdbd6eca', 'aed24b158e20f1ce', '2026-11-30 08:19:13.534982+00'),
	('01a22b89-6129-7238-9024-362767092ddd', 'batches/bat_01a22b89612972389024362767092ddd/aed24b158e20f1ce/part-00002.index.json', '82b293d3ddd74cbb8db427b380f8f9e4', 'aed24b158e20f1ce', '2026-11-30 08:19:13.546389+00'),
	('01a22b89-6129-7238-9024-362767092ddd', 'batches/bat_01a22b89612972389024362767092ddd/manifest.json', '51dbb519b88140e9b1cecbd402ead3ea', NULL, '2026-11-30 08:19:13.656058+00'),
	('01a22b89-6328-70bb-8a43-34b901a88ea0', 'batches/bat_01a22b89632870bb8a4334b901a88ea0/370bd4a99b139240/part-00001.ndjson.gz', '4dcbdd678e254c35b3e8a9ec094f95a4', '370bd4a99b139240', '2026-11-30 08:19:13.884569+00'),
	('01a22b89-6328-70bb-8a43-34b901a88ea0', 'batches/bat_01a22b89632870bb8a4334b901a88ea0/370bd4a99b139240/part-00001.index.json', '641b51e50ff343bd850a05c1d6b96420', '370bd4a99b139240', '2026-11-30 08:19:13.888383+00'),
	('01a22b89-6328-70bb-8a43-34b901a88ea0', 'batches/bat_01a22b89632870bb8a4334b901a88ea0/manifest.json', '01903869fcfa4c5e896621d5b9bee781', NULL, '2026-11-30 08:19:13.900206+00'),
	('01a22b89-63cf-77c6-bc8a-0df2dde171c4', 'batches/bat_01a22b8963cf77c6bc8a0df2dde171c4/2322e9fb93c62af5/part-00001.csv', '8ed7254d039f47eda74e131f30904570', '2322e9fb93c62af5', '2026-11-30 08:19:14.025701+00'),
	('01a22b89-63cf-77c6-bc8a-0df2dde171c4', 'batches/bat_01a22b8963cf77c6bc8a0df2dde171c4/2322e9fb93c62af5/part-00001.index.json', 'c0ab8d0702e341868ae568c419a7e7ff', '2322e9fb93c62af5', '2026-11-30 08:19:14.030764+00'),
	('01a22b89-63cf-77c6-bc8a-0df2dde171c4', 'batches/bat_01a22b8963cf77c6bc8a0df2dde171c4/manifest.json', '4c8c6b6d94da4424b12ec672e0a46ca3', NULL, '2026-11-30 08:19:14.040104+00'),
	('01a22b89-6447-7e61-82a2-cd2b4aac8601', 'batches/bat_01a22b8964477e6182a2cd2b4aac8601/d0ebff6dfa7a8370/part-00001.ndjson', '6a4b33cdb3664135931f38cdbc614b3f', 'd0ebff6dfa7a8370', '2026-11-30 08:19:14.14523+00'),
	('01a22b89-6447-7e61-82a2-cd2b4aac8601', 'batches/bat_01a22b8964477e6182a2cd2b4aac8601/d0ebff6dfa7a8370/part-00001.index.json', '1731d507f0bc4b7592a0a982db92ddfa', 'd0ebff6dfa7a8370', '2026-11-30 08:19:14.151945+00'),
	('01a22b89-6447-7e61-82a2-cd2b4aac8601', 'batches/bat_01a22b8964477e6182a2cd2b4aac8601/manifest.json', '5a08309b7fa94643a63376252455c973', NULL, '2026-11-30 08:19:14.163519+00'),
	('01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'batches/bat_01a22b8964c87d838b6fb6c86e3282fa/d0b97b22f7c5b5ca/part-00001.csv.gz', '922100182f3f43d78573767e110877cd', 'd0b97b22f7c5b5ca', '2026-11-30 08:19:14.27459+00'),
	('01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'batches/bat_01a22b8964c87d838b6fb6c86e3282fa/d0b97b22f7c5b5ca/part-00001.index.json', '87c05da6784d4b029354a7f0eba870bc', 'd0b97b22f7c5b5ca', '2026-11-30 08:19:14.27784+00'),
	('01a22b89-64c8-7d83-8b6f-b6c86e3282fa', 'batches/bat_01a22b8964c87d838b6fb6c86e3282fa/manifest.json', '7cc4ceb11ed74bb7b2047d32de3e19f9', NULL, '2026-11-30 08:19:14.287515+00'),
	('01a22b89-653f-716e-bb04-024fd28e6c8f', 'batches/bat_01a22b89653f716ebb04024fd28e6c8f/6db33645c94fba6a/part-00001.ndjson.gz', '952992990bf649acad84192f07c99f6c', '6db33645c94fba6a', '2026-11-30 08:19:14.394536+00'),
	('01a22b89-653f-716e-bb04-024fd28e6c8f', 'batches/bat_01a22b89653f716ebb04024fd28e6c8f/6db33645c94fba6a/part-00001.index.json', 'be4e092e5b314ac393a2b7c07bd45787', '6db33645c94fba6a', '2026-11-30 08:19:14.400254+00'),
	('01a22b89-653f-716e-bb04-024fd28e6c8f', 'batches/bat_01a22b89653f716ebb04024fd28e6c8f/manifest.json', 'cdf087e6d5094d858303e9c7b411fe3b', NULL, '2026-11-30 08:19:14.409173+00'),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 'inbox/bat_01a22b8965c97fb5a626c63c5929f997/00001-43d84126ee378ef0', '56948463bf0c4496be01e5a3610f89dd', 'inbox', '2026-11-30 08:19:14.574932+00'),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 'batches/bat_01a22b8965c97fb5a626c63c5929f997/db1751ad1e32ab73/part-00001.csv.gz', '2f8d3926655e4976b73864bad3a72c86', 'db1751ad1e32ab73', '2026-11-30 08:19:14.662059+00'),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 'batches/bat_01a22b8965c97fb5a626c63c5929f997/db1751ad1e32ab73/part-00001.index.json', '05798ebf27054feebf1f970a1252332b', 'db1751ad1e32ab73', '2026-11-30 08:19:14.665565+00'),
	('01a22b89-65c9-7fb5-a626-c63c5929f997', 'batches/bat_01a22b8965c97fb5a626c63c5929f997/manifest.json', '5df6e79fb97c4ea386463de6bae01917', NULL, '2026-11-30 08:19:14.673623+00');
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_pkey PRIMARY KEY (batch_id, attempt);
ALTER TABLE ONLY public.bulk_job_failures
    ADD CONSTRAINT bulk_job_failures_pkey PRIMARY KEY (job_id, idx);
ALTER TABLE ONLY public.bulk_job_intakes
    ADD CONSTRAINT bulk_job_intakes_pkey PRIMARY KEY (job_id);
ALTER TABLE ONLY public.bulk_job_uploads
    ADD CONSTRAINT bulk_job_uploads_pkey PRIMARY KEY (job_id, object_key, upload_id);
ALTER TABLE ONLY public.bulk_jobs
    ADD CONSTRAINT bulk_jobs_idempotency_owner_idempotency_key_key UNIQUE (idempotency_owner, idempotency_key);
ALTER TABLE ONLY public.bulk_jobs
    ADD CONSTRAINT bulk_jobs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.deletions
    ADD CONSTRAINT deletions_pkey PRIMARY KEY (batch_id);
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_pkey PRIMARY KEY (batch_id);
ALTER TABLE ONLY public.exports
    ADD CONSTRAINT exports_batch_id_key UNIQUE (batch_id);
ALTER TABLE ONLY public.exports
    ADD CONSTRAINT exports_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.feed
    ADD CONSTRAINT feed_pkey PRIMARY KEY (only_row);
ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_pkey PRIMARY KEY (batch_id, ordinal);
ALTER TABLE ONLY public.gone_keys
    ADD CONSTRAINT gone_keys_pkey PRIMARY KEY (batch_id, attempt, digest);
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_pkey PRIMARY KEY (caller, key);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (event_id);
ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_position_key UNIQUE ("position");
ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_pkey PRIMARY KEY (batch_id, consumer);
ALTER TABLE ONLY public.record_failures
    ADD CONSTRAINT record_failures_pkey PRIMARY KEY (batch_id, consumer, digest);
ALTER TABLE ONLY public.redemptions
    ADD CONSTRAINT redemptions_pkey PRIMARY KEY (batch_id, caller);
ALTER TABLE ONLY public.relays
    ADD CONSTRAINT relays_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.schedule_runs
    ADD CONSTRAINT schedule_runs_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedule_runs
    ADD CONSTRAINT schedule_runs_schedule_id_fire_time_key UNIQUE (schedule_id, fire_time);
ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.schedules
    ADD CONSTRAINT schedules_tenant_name_key UNIQUE (tenant, name);
ALTER TABLE ONLY public.schema_versions
    ADD CONSTRAINT schema_versions_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.upload_batches
    ADD CONSTRAINT upload_batches_pkey PRIMARY KEY (batch_id);
ALTER TABLE ONLY public.upload_files
    ADD CONSTRAINT upload_files_batch_id_name_key UNIQUE (batch_id, name);
ALTER TABLE ONLY public.upload_files
    ADD CONSTRAINT upload_files_pkey PRIMARY KEY (batch_id, ordinal);
ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_pkey PRIMARY KEY (batch_id, object_key, upload_id);
ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_pkey PRIMARY KEY (subscription_id, event_id);
ALTER TABLE ONLY public.webhook_secrets
    ADD CONSTRAINT webhook_secrets_pkey PRIMARY KEY (subscription_id, secret);
CREATE INDEX attempts_to_sweep ON public.attempts USING btree (next_sweep_at) WHERE (next_sweep_at IS NOT NULL);
CREATE INDEX bulk_job_failures_transient ON public.bulk_job_failures USING btree (job_id, round, idx) WHERE (class = 'transient'::text);
CREATE INDEX bulk_jobs_bodies ON public.bulk_jobs USING btree (body_of) WHERE (body_of IS NOT NULL);
CREATE INDEX bulk_jobs_by_tenant ON public.bulk_jobs USING btree (tenant, id DESC);
CREATE INDEX bulk_jobs_leased ON public.bulk_jobs USING btree (lease_until) WHERE (status = 'running'::text);
CREATE INDEX bulk_jobs_retries ON public.bulk_jobs USING btree (retry_of) WHERE (retry_of IS NOT NULL);
CREATE INDEX bulk_jobs_to_expire ON public.bulk_jobs USING btree (expires_at) WHERE (expires_at IS NOT NULL);
CREATE INDEX bulk_jobs_to_lease ON public.bulk_jobs USING btree (next_try_at) WHERE (status = 'pending'::text);
CREATE INDEX deletions_due ON public.deletions USING btree (next_try_at) WHERE (next_try_at IS NOT NULL);
CREATE INDEX deliveries_due ON public.deliveries USING btree (due_at) WHERE (state = 'pending'::text);
CREATE INDEX exports_by_tenant ON public.exports USING btree (tenant, id DESC);
CREATE INDEX exports_leased ON public.exports USING btree (lease_until) WHERE (state = 'running'::text);
CREATE INDEX exports_retries ON public.exports USING btree (retry_of) WHERE (retry_of IS NOT NULL);
CREATE INDEX exports_to_expire ON public.exports USING btree (expires_at) WHERE (state = 'ready'::text);
CREATE INDEX exports_to_lease ON public.exports USING btree (next_try_at) WHERE (state = 'pending'::text);
CREATE INDEX outbox_of_batch ON public.outbox USING btree (batch_id);
CREATE INDEX outbox_waiting ON public.outbox USING btree (created_at) WHERE (("position" IS NULL) AND (superseded_at IS NULL));
CREATE INDEX receipts_open_rounds ON public.receipts USING btree (round_batch) WHERE (round_state = 'open'::text);
CREATE INDEX receipts_with_failures ON public.receipts USING btree (batch_id) WHERE keeps_failures;
CREATE INDEX record_failures_terminal ON public.record_failures USING btree (batch_id, consumer, digest) WHERE (class = 'terminal'::text);
CREATE INDEX record_failures_transient ON public.record_failures USING btree (batch_id, consumer, digest) WHERE (class = 'transient'::text);
CREATE UNIQUE INDEX schedule_runs_by_key ON public.schedule_runs USING btree (schedule_id, key) WHERE (key IS NOT NULL);
CREATE INDEX schedule_runs_of_export ON public.schedule_runs USING btree (export_id) WHERE (export_id IS NOT NULL);
CREATE INDEX schedule_runs_queued ON public.schedule_runs USING btree (schedule_id, fire_time) WHERE (state = 'queued'::text);
CREATE INDEX schedule_runs_started ON public.schedule_runs USING btree (schedule_id, started_at DESC) WHERE (state = 'started'::text);
CREATE INDEX schedules_due ON public.schedules USING btree (try_at) WHERE (try_at IS NOT NULL);
CREATE INDEX subscriptions_by_tenant ON public.subscriptions USING btree (tenant, id DESC);
CREATE UNIQUE INDEX subscriptions_of_hook ON public.subscriptions USING btree (tenant, consumer, endpoint) WHERE ((protocol = 'webhook'::text) AND (state <> 'disabled'::text));
CREATE UNIQUE INDEX subscriptions_of_queue ON public.subscriptions USING btree (endpoint) WHERE ((protocol = 'sqs'::text) AND (state <> 'disabled'::text));
CREATE INDEX subscriptions_to_settle ON public.subscriptions USING btree (next_try_at) WHERE (next_try_at IS NOT NULL);
CREATE INDEX upload_batches_to_look_at ON public.upload_batches USING btree (next_look_at) WHERE (next_look_at IS NOT NULL);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (subscription_id, next_try_at) WHERE (next_try_at IS NOT NULL);
CREATE INDEX webhook_deliveries_log ON public.webhook_deliveries USING btree (subscription_id, "position" DESC);
CREATE INDEX webhook_deliveries_of_event ON public.webhook_deliveries USING btree (event_id);
CREATE TRIGGER bulk_jobs_inserted AFTER INSERT ON public.bulk_jobs FOR EACH ROW EXECUTE FUNCTION public.claimcheck_bulk_jobs_changed();
CREATE TRIGGER bulk_jobs_updated AFTER UPDATE ON public.bulk_jobs FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION public.claimcheck_bulk_jobs_changed();
CREATE TRIGGER deletions_changed AFTER INSERT OR UPDATE ON public.deletions FOR EACH ROW EXECUTE FUNCTION public.claimcheck_deletions_changed();
CREATE TRIGGER exports_inserted AFTER INSERT ON public.exports FOR EACH ROW EXECUTE FUNCTION public.claimcheck_exports_changed();
CREATE TRIGGER exports_settled AFTER UPDATE ON public.exports FOR EACH ROW WHEN (((old.state = ANY (ARRAY['pending'::text, 'running'::text])) AND (new.state <> ALL (ARRAY['pending'::text, 'running'::text])))) EXECUTE FUNCTION public.claimcheck_scheduled_export_settled();
CREATE TRIGGER exports_updated AFTER UPDATE ON public.exports FOR EACH ROW WHEN ((old.state IS DISTINCT FROM new.state)) EXECUTE FUNCTION public.claimcheck_exports_changed();
CREATE TRIGGER outbox_inserted AFTER INSERT ON public.outbox FOR EACH ROW EXECUTE FUNCTION public.claimcheck_outbox_changed();
CREATE TRIGGER outbox_positioned AFTER UPDATE ON public.outbox FOR EACH ROW WHEN ((old."position" IS DISTINCT FROM new."position")) EXECUTE FUNCTION public.claimcheck_outbox_changed();
CREATE TRIGGER schedule_runs_queued AFTER INSERT ON public.schedule_runs FOR EACH ROW WHEN ((new.state = 'queued'::text)) EXECUTE FUNCTION public.claimcheck_schedules_changed();
CREATE TRIGGER schedules_inserted AFTER INSERT ON public.schedules FOR EACH ROW EXECUTE FUNCTION public.claimcheck_schedules_changed();
CREATE TRIGGER schedules_updated AFTER UPDATE ON public.schedules FOR EACH ROW WHEN ((old.version IS DISTINCT FROM new.version)) EXECUTE FUNCTION public.claimcheck_schedules_changed();
ALTER TABLE ONLY public.attempts
    ADD CONSTRAINT attempts_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.bulk_job_failures
    ADD CONSTRAINT bulk_job_failures_job_id_fkey FOREIGN KEY (job_id) REFERENCES public.bulk_jobs(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.bulk_jobs
    ADD CONSTRAINT bulk_jobs_body_of_fkey FOREIGN KEY (body_of) REFERENCES public.bulk_jobs(id);
ALTER TABLE ONLY public.bulk_jobs
    ADD CONSTRAINT bulk_jobs_retry_of_fkey FOREIGN KEY (retry_of) REFERENCES public.bulk_jobs(id);
ALTER TABLE ONLY public.deletions
    ADD CONSTRAINT deletions_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.deliveries
    ADD CONSTRAINT deliveries_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.files
    ADD CONSTRAINT files_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.gone_keys
    ADD CONSTRAINT gone_keys_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.idempotency_keys
    ADD CONSTRAINT idempotency_keys_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.exports(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE ONLY public.receipts
    ADD CONSTRAINT receipts_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.redemptions
    ADD CONSTRAINT redemptions_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.schedule_runs
    ADD CONSTRAINT schedule_runs_export_id_fkey FOREIGN KEY (export_id) REFERENCES public.exports(id) ON DELETE SET NULL;
ALTER TABLE ONLY public.schedule_runs
    ADD CONSTRAINT schedule_runs_schedule_id_fkey FOREIGN KEY (schedule_id) REFERENCES public.schedules(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.upload_batches
    ADD CONSTRAINT upload_batches_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.upload_files
    ADD CONSTRAINT upload_files_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.uploads
    ADD CONSTRAINT uploads_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES public.exports(batch_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES public.outbox(event_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhook_deliveries
    ADD CONSTRAINT webhook_deliveries_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES public.subscriptions(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.webhook_secrets
    ADD CONSTRAINT webhook_secrets_subscription_id_fkey FOREIGN KEY (subscription_id) REFERENCES public.subscriptions(id) ON DELETE CASCADE;
