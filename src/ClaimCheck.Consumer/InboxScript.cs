namespace ClaimCheck.Consumer;

/// <summary>The inbox's tables, for operators whose consumers may not create any. The script may be run again.</summary>
public static class InboxScript
{
    /// <summary>
    /// The script. The consumer's role then needs USAGE on schema <c>claimcheck</c>, and SELECT, INSERT, UPDATE and DELETE on its
    /// tables named <c>inbox_…</c>.
    /// </summary>
    public const string Sql = """
        CREATE SCHEMA IF NOT EXISTS claimcheck;

        -- What a consumer has applied of each batch: its lock, its checkpoint, its end.
        CREATE TABLE IF NOT EXISTS claimcheck.inbox_batches (
            consumer         text        NOT NULL,
            batch_id         uuid        NOT NULL,
            state            text        NOT NULL CHECK (state IN ('open', 'settled', 'revoked')),
            position         text        NOT NULL DEFAULT '0/0/0/0',
            succeeded        bigint      NOT NULL DEFAULT 0,
            transient        bigint      NOT NULL DEFAULT 0,
            terminal         bigint      NOT NULL DEFAULT 0,
            lease_token      uuid,
            leased_until     timestamptz,
            holder_pid       integer,
            holder_since     timestamptz,
            created_at       timestamptz NOT NULL DEFAULT now(),
            updated_at       timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (consumer, batch_id)
        );
        CREATE INDEX IF NOT EXISTS inbox_batches_updated_at ON claimcheck.inbox_batches (updated_at);

        -- Failed records that the service has not been told of yet.
        CREATE TABLE IF NOT EXISTS claimcheck.inbox_failures (
            consumer         text        NOT NULL,
            batch_id         uuid        NOT NULL,
            ordinal          bigint      NOT NULL,
            key              text        NOT NULL,
            class            text        NOT NULL,
            code             text        NOT NULL,
            message          text,
            PRIMARY KEY (consumer, batch_id, ordinal)
        );

        -- The newest receipt of each batch that is still to be sent, and what is to be done after it.
        CREATE TABLE IF NOT EXISTS claimcheck.inbox_receipts (
            consumer         text        NOT NULL,
            batch_id         uuid        NOT NULL,
            version          uuid        NOT NULL,
            state            text        NOT NULL,
            succeeded        bigint      NOT NULL,
            transient        bigint      NOT NULL,
            terminal         bigint      NOT NULL,
            position         text,
            retry_batch_id   uuid,
            is_sent          boolean     NOT NULL DEFAULT false,
            attempts         integer     NOT NULL DEFAULT 0,
            next_at          timestamptz NOT NULL DEFAULT now(),
            refused_code     text,
            PRIMARY KEY (consumer, batch_id)
        );
        CREATE INDEX IF NOT EXISTS inbox_receipts_next_at ON claimcheck.inbox_receipts (next_at) WHERE refused_code IS NULL;

        -- The cursors of feed listeners.
        CREATE TABLE IF NOT EXISTS claimcheck.inbox_cursors (
            consumer         text        NOT NULL PRIMARY KEY,
            cursor           text        NOT NULL,
            updated_at       timestamptz NOT NULL DEFAULT now()
        );
        """;
}
