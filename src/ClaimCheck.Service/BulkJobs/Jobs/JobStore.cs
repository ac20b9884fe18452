using ClaimCheck.Service.BulkJobs.Bodies;

namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>A request for a job that was found valid.</summary>
internal sealed record NewJob(
    JobId JobId, Operation Operation, TimeSpan Ttl, byte[] Meaning, JobBody? Body, string? ClaimUrl)
{
    public string Source => ClaimUrl is not null ? "claim" : Body!.Key is null ? "inline" : "staged";
}

/// <summary>The jobs in the catalog, as the API sees them: create, find, list, cancel.</summary>
internal sealed class JobStore(NpgsqlDataSource catalog)
{
    /// <summary>Creates a job.</summary>
    /// <returns>The new one; or the one that the key had created before, and whether it means the same. Nothing where the body's
    /// intake was swept meanwhile.</returns>
    public async Task<(JobRow? New, JobRow? Known, bool MeansTheSame)> CreateAsync(
        Caller caller, NewJob job, string? key, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // Deleting the intake ends the sweep's right to delete what was staged.
        if (job.Source == "staged" && await transaction.ExecuteAsync(
            "DELETE FROM bulk_job_intakes WHERE job_id = @Id AND abandoned_at IS NULL AND live_until > now()",
            new { Id = job.JobId.Value },
            cancellationToken) == 0)
        {
            return default;
        }

        // The unique index makes a second request with the same key wait here until the first has committed.
        var row = await transaction.QuerySingleOrDefaultAsync<JobRow>(
            $"""
            INSERT INTO bulk_jobs (id, tenant, caller, operation, definition, concurrency, source, body, body_key, body_bytes,
                                   body_index, claim_url,
                                   total_items, ttl, idempotency_owner, idempotency_key, meaning, traceparent)
            VALUES (@Id, @Tenant, @Caller, @Operation, @Definition::json, @Concurrency, @Source, @Inline, @BodyKey,
                    @Bytes, @Index, @ClaimUrl, @Items, @Ttl, @Owner, @IdempotencyKey, @Meaning, @TraceParent)
            ON CONFLICT (idempotency_owner, idempotency_key) DO NOTHING
            RETURNING {JobRow.Columns}
            """,
            new
            {
                Id = job.JobId.Value,
                caller.Tenant,
                Caller = caller.Name,
                Operation = job.Operation.Name,
                Definition = JsonSerializer.Serialize(job.Operation, ClaimCheckJson.Options),
                job.Operation.Concurrency,
                job.Source,
                job.Body?.Inline,
                BodyKey = job.Body?.Key,
                Bytes = job.Body?.Bytes ?? 0,
                job.Body?.Index,
                job.ClaimUrl,
                job.Body?.Items,
                job.Ttl,
                Owner = key is null ? null : caller.KeyOwner,
                IdempotencyKey = key,
                job.Meaning,
                TraceParent = System.Diagnostics.Activity.Current?.Id,
            },
            cancellationToken);
        if (row is null)
        {
            // Rolled back together with the end of the intake: the caller drops the intake.
            var (known, same) = await FindByKeyAsync(transaction.Connection, caller, key!, job.Meaning, cancellationToken);
            return (null, known, same);
        }

        await transaction.CommitAsync(cancellationToken);
        return (row, null, false);
    }

    /// <summary>The job that a key of this caller created before.</summary>
    public async Task<(JobRow? Known, bool MeansTheSame)> FindByKeyAsync(
        Caller caller, string key, byte[] meaning, CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        return await FindByKeyAsync(connection, caller, key, meaning, cancellationToken);
    }

    private static async Task<(JobRow? Known, bool MeansTheSame)> FindByKeyAsync(
        NpgsqlConnection connection, Caller caller, string key, byte[] meaning, CancellationToken cancellationToken)
    {
        var parameters = new { Owner = caller.KeyOwner, key };
        var known = await connection.QuerySingleOrDefaultAsync<JobRow>(
            $"SELECT {JobRow.Columns} FROM bulk_jobs WHERE idempotency_owner = @Owner AND idempotency_key = @key",
            parameters,
            cancellationToken);
        var means = await connection.ExecuteScalarAsync<byte[]?>(
            "SELECT meaning FROM bulk_jobs WHERE idempotency_owner = @Owner AND idempotency_key = @key",
            parameters,
            cancellationToken);
        return (known, means.AsSpan().SequenceEqual(meaning));
    }

    public Task<JobRow?> FindAsync(Caller caller, JobId id, CancellationToken cancellationToken) =>
        catalog.QuerySingleOrDefaultAsync<JobRow>(
            $"SELECT {JobRow.Columns} FROM bulk_jobs WHERE id = @Id AND tenant = @Tenant AND (expires_at IS NULL "
            + "OR expires_at > now())",
            new { Id = id.Value, caller.Tenant },
            cancellationToken);

    /// <summary>Those of the jobs that have ended.</summary>
    public async Task<IEnumerable<JobRow>> EndedAsync(Guid[] jobs, CancellationToken cancellationToken) =>
        await catalog.ListAsync<JobRow>(
            $"SELECT {JobRow.Columns} FROM bulk_jobs WHERE id = ANY(@jobs) AND status IN ('completed', 'failed', 'cancelled')",
            new { jobs },
            cancellationToken);

    /// <summary>Newest first.</summary>
    public Task<IReadOnlyList<JobRow>> ListAsync(
        Caller caller, string? status, string? operation, JobId? before, int limit, CancellationToken cancellationToken) =>
        // Each combination of filters has its index, bulk_jobs_by_… or bulk_jobs_listed, of which a page reads its own rows only;
        // the primary key has another order of nulls.
        catalog.ListAsync<JobRow>(
            $"""
            SELECT {JobRow.Columns}
              FROM bulk_jobs
             WHERE tenant = @Tenant AND erased_at IS NULL AND (expires_at IS NULL OR expires_at > now())
                   {(before is null ? "" : "AND id < @Before")}
                   {(status is null ? "" : "AND status = @status")}
                   {(operation is null ? "" : "AND operation = @operation")}
             ORDER BY id DESC NULLS LAST
             LIMIT @limit
            """,
            new { caller.Tenant, Before = before?.Value, status, operation, limit },
            cancellationToken);

    public Task<IReadOnlyList<BulkItemOutcome>> FailuresAsync(
        JobId job, string? failureClass, long after, int limit, CancellationToken cancellationToken) =>
        // By the primary key, or by the index bulk_job_failures_by_class.
        catalog.ListAsync<BulkItemOutcome>(
            $"""
            SELECT idx AS index, key, 'failed' AS status, class, code, message
              FROM bulk_job_failures
             WHERE job_id = @Id AND idx > @after {(failureClass is null ? "" : "AND class = @failureClass")}
             ORDER BY idx
             LIMIT @limit
            """,
            new { Id = job.Value, failureClass, after, limit },
            cancellationToken);

    /// <summary>Cancels a waiting job, and asks the worker of a running one to stop. One that has ended stays as it is.</summary>
    public async Task CancelAsync(Caller caller, JobId job, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // A pending job that was begun before may have chunks in the target that are not counted yet: a worker counts them.
        var cancelled = await transaction.QuerySingleOrDefaultAsync<JobRow>(
            $"""
            UPDATE bulk_jobs
               SET status = 'cancelled', cancel_requested_at = now(), completed_at = now(), expires_at = now() + ttl
             WHERE id = @Id AND tenant = @Tenant AND status = 'pending' AND leases = 0
            RETURNING {JobRow.Columns}
            """,
            new { Id = job.Value, caller.Tenant },
            cancellationToken);
        if (cancelled is not null)
        {
            await JobOutcomes.TellAsync(transaction, cancelled, cancellationToken);
        }
        else
        {
            await transaction.ExecuteAsync(
                """
                UPDATE bulk_jobs
                   SET cancel_requested_at = coalesce(cancel_requested_at, now()), next_try_at = now()
                 WHERE id = @Id AND tenant = @Tenant AND status IN ('pending', 'running')
                """,
                new { Id = job.Value, caller.Tenant },
                cancellationToken);
            await transaction.ExecuteAsync("SELECT pg_notify('claimcheck', 'jobs')", null, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
    }
}
