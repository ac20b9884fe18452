namespace ClaimCheck.Service.BulkJobs.Targets;

/// <summary>What the operator creates in a target, so that a chunk and the note that it was applied commit together.</summary>
internal static class TargetScript
{
    public const string Sql = """
        -- For ClaimCheck's bulk jobs: a row commits with the effects of its chunk, so that each is applied exactly once.
        -- Run it in each target as an owner, and grant the service's role what it needs:
        --   GRANT USAGE ON SCHEMA claimcheck TO service_role;
        --   GRANT SELECT, INSERT, UPDATE, DELETE ON claimcheck.applied_chunks TO service_role;
        -- The role also needs TEMPORARY on the database. The service deletes rows with their job.
        CREATE SCHEMA IF NOT EXISTS claimcheck;
        CREATE TABLE IF NOT EXISTS claimcheck.applied_chunks (
            job_id     uuid        NOT NULL,
            round      integer     NOT NULL,              -- 0: the first pass; then rounds of retries
            chunk      bigint      NOT NULL,
            is_void    boolean     NOT NULL DEFAULT false, -- never to be applied: the job had ended before it
            not_found  integer[]   NOT NULL DEFAULT '{}',  -- items, by their place in the chunk
            failed     integer[]   NOT NULL DEFAULT '{}',
            states     text[]      NOT NULL DEFAULT '{}',  -- SQLSTATE of each failed one
            names      text[]      NOT NULL DEFAULT '{}',  -- the constraint or column of each failed one
            applied_at timestamptz NOT NULL DEFAULT now(),
            PRIMARY KEY (job_id, round, chunk)
        );

        """;

    public static async Task<bool> IsAppliedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("SELECT to_regclass('claimcheck.applied_chunks') IS NOT NULL", connection);
        return (bool)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Replicas may run this at the same time.</summary>
    public static async Task ApplyAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        // IF NOT EXISTS alone is not safe against two concurrent runs.
        await using var command = new NpgsqlCommand($"SELECT pg_advisory_xact_lock({AdvisoryLocks.Target});" + Sql, connection);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }
}
