namespace ClaimCheck.Service.Staging;

/// <summary>Staged content that may be read for a time: a batch, or the results of a job under their key.</summary>
internal readonly record struct Readable(BatchId? Batch, JobId? Job, string? ResultKey)
{
    public static Readable Of(BatchId batch) => new(batch, null, null);

    /// <returns>Null where no object under this key may be read.</returns>
    public static Readable? Of(string key) =>
        StagingKeys.BatchOf(key) is { } batch ? Of(batch) : StagingKeys.JobOf(key) is { } job ? new(null, job, key) : null;
}

/// <summary>Whether a batch, or an object, may be read, according to the catalog now.</summary>
internal class BatchStates(NpgsqlDataSource catalog)
{
    public Task<bool> IsReadyAsync(BatchId batch, CancellationToken cancellationToken) =>
        MayReadAsync(Readable.Of(batch), cancellationToken);

    /// <summary>Whether an object may be read: a batch's while it is ready, a job's results until its time to live
    /// ends.</summary>
    public async Task<bool> MayReadAsync(string key, CancellationToken cancellationToken) =>
        Readable.Of(key) is { } readable && await MayReadAsync(readable, cancellationToken);

    /// <summary>Those of them that may be read.</summary>
    public virtual async Task<IReadOnlySet<Readable>> ReadableAsync(
        IReadOnlyCollection<Readable> asked, CancellationToken cancellationToken)
    {
        var batches = asked.Where(readable => readable.Batch is not null)
            .Select(readable => readable.Batch!.Value.Value).ToArray();
        var results = asked.Where(readable => readable.Job is not null).ToList();
        // Found by the unique index of batch_id, and by the key of bulk_jobs.
        var found = await catalog.ListAsync<(Guid Id, string? ResultKey)>(
            """
            SELECT batch_id, NULL AS result_key
              FROM exports
             WHERE batch_id = ANY(@batches) AND state = 'ready' AND expires_at > now()
            UNION ALL
            SELECT b.id, b.result_key
              FROM unnest(@Jobs, @Keys) AS asked (id, key)
              JOIN bulk_jobs b ON b.id = asked.id AND b.result_key = asked.key AND b.expires_at > now()
            """,
            new
            {
                batches,
                Jobs = results.Select(result => result.Job!.Value.Value).ToArray(),
                Keys = results.Select(result => result.ResultKey!).ToArray(),
            },
            cancellationToken);
        return found.Select(row =>
            row.ResultKey is null ? Readable.Of(new BatchId(row.Id)) : new(null, new JobId(row.Id), row.ResultKey)).ToHashSet();
    }

    private async Task<bool> MayReadAsync(Readable readable, CancellationToken cancellationToken) =>
        (await ReadableAsync([readable], cancellationToken)).Contains(readable);
}
