namespace ClaimCheck.Service.BulkJobs.Bodies;

/// <summary>The failed items of a job that has ended, from an index on, read from the body that they came with.</summary>
internal sealed class RetryItems(NpgsqlDataSource catalog, JobItems body, JobId job, string? failureClass, long begin) : JobItems
{
    private const int AtOnce = 1000;

    public override async Task<long> CountAsync(CancellationToken cancellationToken) =>
        -begin + await catalog.ExecuteScalarAsync<long>(
            """
            SELECT count(*) FROM bulk_job_failures WHERE job_id = @Job AND code <> 'invalid'
               AND (@failureClass::text IS NULL OR class = @failureClass)
            """,
            new { Job = job.Value, failureClass },
            cancellationToken);

    public override async IAsyncEnumerable<JobItem> ReadAsync(
        long position, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var after = -1L;
        for (var skip = begin + position; ; skip = 0)
        {
            // The failures of a job that has ended do not change.
            var indexes = await IndexesAsync(after, skip, cancellationToken);
            if (indexes.Count == 0)
                yield break;
            await foreach (var item in body.PickAsync(indexes, cancellationToken))
                yield return item;
            after = indexes[^1];
        }
    }

    public override IAsyncEnumerable<JobItem> PickAsync(IReadOnlyList<long> indexes, CancellationToken cancellationToken) =>
        body.PickAsync(indexes, cancellationToken);

    public override Task CheckAsync(CancellationToken cancellationToken) => body.CheckAsync(cancellationToken);

    private Task<IReadOnlyList<long>> IndexesAsync(long after, long skip, CancellationToken cancellationToken) =>
        catalog.ListAsync<long>(
            """
            SELECT idx
              FROM bulk_job_failures
             WHERE job_id = @Job AND idx > @after AND code <> 'invalid' AND (@failureClass::text IS NULL OR class = @failureClass)
             ORDER BY idx
             LIMIT @AtOnce OFFSET @skip
            """,
            new { Job = job.Value, after, failureClass, AtOnce, skip },
            cancellationToken);
}
