namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Records the progress of a job: counts and failures, guarded by the lease.</summary>
internal sealed class JobProgress(NpgsqlDataSource catalog)
{
    /// <summary>Chunks of the first pass that are done.</summary>
    /// <returns>How many have failed so far; null when the lease is lost: then nothing was written.</returns>
    public async Task<long?> SaveAsync(
        JobLease lease, long nextChunk, long processed, IReadOnlyList<ItemFailure> failures, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // A repetition after a lost answer finds itself done: processed shows it, and the failures are there already.
        var failed = await transaction.QuerySingleOrDefaultAsync<long?>(
            """
            UPDATE bulk_jobs
               SET next_chunk = @nextChunk,
                   succeeded = succeeded + (@processed - processed - CASE WHEN @processed > processed THEN @Failed ELSE 0 END),
                   failed = failed + CASE WHEN @processed > processed THEN @Failed ELSE 0 END,
                   leases = CASE WHEN @processed > processed THEN 1 ELSE leases END,
                   processed = @processed
             WHERE id = @Id AND status = 'running' AND lease_token = @Token
            RETURNING failed
            """,
            new { Id = lease.JobId.Value, lease.Token, nextChunk, processed, Failed = (long)failures.Count },
            cancellationToken);
        if (failed is null)
            return null;
        await InsertAsync(transaction, lease, failures, round: 0, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return failed;
    }

    /// <summary>Records items that were tried again in a round.</summary>
    /// <returns>False when the lease is lost: then nothing was written.</returns>
    public async Task<bool> SaveRoundAsync(
        JobLease lease, int round, IReadOnlyList<long> tried, IReadOnlyList<ItemFailure> failures,
        CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var locked = await transaction.ExecuteScalarAsync<long?>(
            "SELECT failed FROM bulk_jobs WHERE id = @Id AND status = 'running' AND lease_token = @Token FOR UPDATE",
            new { Id = lease.JobId.Value, lease.Token },
            cancellationToken);
        if (locked is null)
            return false;
        var removed = await transaction.ExecuteAsync(
            "DELETE FROM bulk_job_failures WHERE job_id = @Id AND idx = ANY(@Tried) AND round < @round",
            new { Id = lease.JobId.Value, Tried = tried.ToArray(), round },
            cancellationToken);
        if (removed > 0)
        {
            await InsertAsync(transaction, lease, failures, round, cancellationToken);
            var passed = removed - failures.Count;
            await transaction.ExecuteAsync(
                "UPDATE bulk_jobs SET succeeded = succeeded + @passed, failed = failed - @passed, leases = 1 WHERE id = @Id",
                new { Id = lease.JobId.Value, passed },
                cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Records the number of a claim's records, once its manifest was read.</summary>
    public Task SaveTotalAsync(JobLease lease, long total, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            "UPDATE bulk_jobs SET total_items = @total WHERE id = @Id AND status = 'running' AND lease_token = @Token",
            new { Id = lease.JobId.Value, lease.Token, total },
            cancellationToken);

    /// <summary>The next items to try again: those that failed transiently, the earliest round first.</summary>
    public async Task<(int Round, IReadOnlyList<long> Indexes)> NextRetriesAsync(
        JobLease lease, int atMost, CancellationToken cancellationToken)
    {
        var rows = await catalog.ListAsync<(int Round, long Index)>(
            """
            SELECT round, idx
              FROM bulk_job_failures
             WHERE job_id = @Id AND class = 'transient'
               AND round = (SELECT min(round) FROM bulk_job_failures WHERE job_id = @Id AND class = 'transient')
             ORDER BY idx
             LIMIT @atMost
            """,
            new { Id = lease.JobId.Value, atMost },
            cancellationToken);
        return rows.Count == 0 ? (0, []) : (rows[0].Round + 1, [.. rows.Select(row => row.Index)]);
    }

    /// <summary>Failures from an index on, in order.</summary>
    public async Task<IReadOnlyList<ItemFailure>> ReadAsync(
        JobLease lease, long after, int atMost, CancellationToken cancellationToken) =>
        (await catalog.ListAsync<(long Index, string? Key, string Class, string Code, string Message)>(
            "SELECT idx, key, class, code, message FROM bulk_job_failures WHERE job_id = @Id AND idx > @after "
            + "ORDER BY idx LIMIT @atMost",
            new { Id = lease.JobId.Value, after, atMost },
            cancellationToken))
            .Select(row => new ItemFailure(row.Index, row.Key, row.Class == "transient", row.Code, row.Message)).ToList();

    private static Task InsertAsync(
        Transaction transaction, JobLease lease, IReadOnlyList<ItemFailure> failures, int round,
        CancellationToken cancellationToken) =>
        failures.Count == 0 ? Task.CompletedTask : transaction.ExecuteAsync(
            """
            INSERT INTO bulk_job_failures (job_id, idx, key, class, code, message, round)
            SELECT @Id, f.idx, f.key, f.class, f.code, f.message, @round
              FROM unnest(@Indexes, @Keys, @Classes, @Codes, @Messages) AS f (idx, key, class, code, message)
            ON CONFLICT (job_id, idx) DO NOTHING
            """,
            new
            {
                Id = lease.JobId.Value,
                round,
                Indexes = failures.Select(failure => failure.Index).ToArray(),
                Keys = failures.Select(failure => failure.Key).ToArray(),
                Classes = failures.Select(failure => failure.Class).ToArray(),
                Codes = failures.Select(failure => failure.Code).ToArray(),
                Messages = failures.Select(failure => failure.Message).ToArray(),
            },
            cancellationToken);
}
