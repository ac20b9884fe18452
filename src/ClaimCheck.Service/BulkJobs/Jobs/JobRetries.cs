namespace ClaimCheck.Service.BulkJobs.Jobs;

/// <summary>Creates jobs of another job's failed items. Each item is taken by one retry: what failed there again is retried from
/// there, and what a retry that ended early did not reach is taken by the next one.</summary>
internal sealed class JobRetries(NpgsqlDataSource catalog)
{
    /// <returns>The retry, new or still running; or the reason why there is none, null where nothing failed that could be tried
    /// again.</returns>
    public async Task<(JobRow? Retry, string? Refusal)> AskAsync(
        Caller caller, JobRow job, string? failureClass, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        // The lock makes a second request wait for the first. The sweep skips locked rows and comes later.
        await transaction.ExecuteAsync(
            "SELECT 1 FROM bulk_jobs WHERE id = ANY(@Ids) ORDER BY id FOR UPDATE",
            new { Ids = new[] { job.Id, job.BodyOf ?? job.Id } },
            cancellationToken);
        var running = await transaction.QuerySingleOrDefaultAsync<JobRow>(
            $"SELECT {JobRow.Columns} FROM bulk_jobs WHERE retry_of = @Id AND status IN ('pending', 'running') LIMIT 1",
            new { job.Id },
            cancellationToken);
        if (running is not null)
            return (running, null);
        var isWhole = await transaction.ExecuteScalarAsync<string>(
            "SELECT definition ->> 'atomicity' FROM bulk_jobs WHERE id = @Id",
            new { job.Id },
            cancellationToken) == Operation.PerJob;
        var earlier = await transaction.ListAsync<EarlierRow>(
            "SELECT id, status, retry_class AS class, retry_from AS begin, processed, total_items FROM bulk_jobs WHERE retry_of "
            + "= @Id ORDER BY created_at, id",
            new { job.Id },
            cancellationToken);
        var (share, refusal) = isWhole ? OfWhole(earlier) : Share.Of(failureClass, earlier);
        if (share is null)
            return (null, refusal);
        if (await InsertAsync(transaction, caller, job, share, isWhole, cancellationToken) is not { } retry)
            return (null, Untried(job));
        await transaction.CommitAsync(cancellationToken);
        return (retry, null);
    }

    // Its own items: those of a retry are continued by the next retry of the same job.
    private static string? Untried(JobRow job) => job switch
    {
        { Failed: > 0 } or { TotalItems: null } => null,
        _ when job.Processed >= job.TotalItems => null,
        { RetryOf: { } original } =>
            $"None of its items failed, and not all were tried before it ended: retry job {new JobId(original)} again.",
        _ => $"None of its items failed; {job.TotalItems - job.Processed} were not tried before it ended, from index "
            + $"{job.Processed} on: send those anew.",
    };

    // Of a job that is atomic as a whole, nothing was applied before all of it is.
    private static (Share? Share, string? Refusal) OfWhole(IReadOnlyList<EarlierRow> earlier) =>
        earlier.FirstOrDefault(retry => retry.Status == BulkJobStatus.Completed) is { } done
            ? (null, $"All of it was applied by its retry {new JobId(done.Id)}.")
            : (new(null, 0), null);

    private static Task<JobRow?> InsertAsync(
        Transaction transaction, Caller caller, JobRow job, Share share, bool isWhole, CancellationToken cancellationToken) =>
        transaction.Connection.QuerySingleOrDefaultAsync<JobRow>(transaction.LongCommand(
            $"""
            INSERT INTO bulk_jobs (id, tenant, caller, operation, definition, concurrency, source, body_of, retry_of, retry_class,
                                   retry_from, total_items, ttl, traceparent)
            SELECT @NewId, j.tenant, @Caller, j.operation, j.definition, j.concurrency, 'retry', coalesce(j.body_of, j.id),
                   j.id, @Class, @Begin, CASE WHEN @isWhole THEN j.total_items ELSE f.valid - @Begin END, j.ttl, @TraceParent
              FROM bulk_jobs j,
                   LATERAL (SELECT count(*) FILTER (WHERE code <> 'invalid') AS valid,
                                   count(*) FILTER (WHERE code = 'invalid') AS invalid
                              FROM bulk_job_failures b
                             WHERE b.job_id = j.id AND (@Class::text IS NULL OR b.class = @Class)) f
             WHERE j.id = @Id AND j.erased_at IS NULL
               AND CASE WHEN @isWhole THEN j.status = 'failed' AND f.invalid = 0 ELSE f.valid > @Begin END
            RETURNING {JobRow.Columns}
            """,
            new
            {
                NewId = JobId.New().Value,
                job.Id,
                Caller = caller.Name,
                share.Class,
                share.Begin,
                isWhole,
                TraceParent = System.Diagnostics.Activity.Current?.Id,
            },
            cancellationToken));

    /// <summary>Which of the failed items: those of one class or of both, from an index on.</summary>
    private sealed record Share(string? Class, long Begin)
    {
        public static (Share? Share, string? Refusal) Of(string? asked, IReadOnlyList<EarlierRow> earlier)
        {
            var others = earlier.Where(retry => retry.Class is null || asked is null || retry.Class == asked).ToList();
            if (others.Count == 0)
                return (new(asked, 0), null);
            var last = others[^1];
            if (last.IsEarly && (asked is null || asked == last.Class))
                return (new(last.Class, last.Begin + last.Processed), null);
            if (last.IsEarly)
                return (null,
                    $"Retry {new JobId(last.Id)} ended before it had tried all items: retry without a class to continue it.");
            var rest = others.Select(retry => retry.Class).Distinct().ToList() is [{ } only] && asked is null ? only : null;
            return rest is null
                ? (null, $"What has failed was tried again by job {new JobId(last.Id)}: retry that one.")
                : (new(rest == "transient" ? "terminal" : "transient", 0), null);
        }
    }

    private sealed record EarlierRow(
        Guid Id, string Status, string? Class, long Begin, long Processed, long? TotalItems)
    {
        public bool IsEarly => Processed < TotalItems;
    }
}
