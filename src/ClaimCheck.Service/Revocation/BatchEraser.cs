namespace ClaimCheck.Service.Revocation;

/// <summary>Deletes all that a batch has staged, and proves it: recorded uploads are aborted until they are gone, every version
/// is deleted, the prefix is listed empty, each link is probed dead. Failures are tried again until it is verified.</summary>
internal sealed partial class BatchEraser(
    IStaging staging, NpgsqlDataSource catalog, LinkProber prober, ILogger<BatchEraser> logger)
{
    /// <summary>The lease of an eraser: one that has gone silent is replaced after it.</summary>
    public static readonly TimeSpan Lease = TimeSpan.FromMinutes(2);

    private const int ListingsAtMost = 5;
    private const int AtOnce = 16;

    /// <summary>Leases one deletion that is due and carries it as far as possible.</summary>
    /// <returns>False when none is due.</returns>
    public async Task<bool> EraseNextAsync(CancellationToken cancellationToken)
    {
        if (await TakeAsync(cancellationToken) is not { } deletion)
            return false;
        var batch = new BatchId(deletion.BatchId);
        try
        {
            await EraseAsync(batch, deletion, cancellationToken);
        }
        catch (StagingException e)
        {
            Log.Unverified(logger, batch, e.Message);
            await PostponeAsync(deletion, e.Message, cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            // Shown in the report too: somebody waits for the proof.
            Log.Broken(logger, Defect.Of(e), batch);
            await PostponeAsync(deletion, $"An unexpected {e.GetType().Name} interrupted the deletion.", cancellationToken);
        }

        return true;
    }

    private async Task EraseAsync(BatchId batch, Deletion deletion, CancellationToken cancellationToken)
    {
        var swept = await SweepAsync(StagingKeys.Batch(batch), batch, attempt: null, cancellationToken);
        if (deletion.HasInbox)
            swept = swept.And(await SweepAsync(StagingKeys.Landing(batch), batch, MultipartUploads.Landing, cancellationToken));
        if (deletion.VerifiedAt is not null)
        {
            // A sweep after the proof: what it finds was not there when everything was listed and probed.
            if (swept.Deleted > 0 || swept.Aborted > 0)
                Log.FoundLater(logger, batch, swept.Deleted, swept.Aborted);
            await ScheduleSweepAsync(deletion, swept, cancellationToken);
            return;
        }

        if (swept.Remaining > 0)
        {
            await PostponeAsync(deletion, $"{swept.Remaining} objects are still listed.", cancellationToken, swept);
            return;
        }

        var probes = JsonSerializer.Deserialize<List<Probe>>(deletion.Probes, ClaimCheckJson.Options)!;
        var after = await prober.AfterAsync(probes, cancellationToken);
        var alive = after.Count(probe => !probe.IsDead);
        if (alive > 0)
        {
            await PostponeAsync(
                deletion, $"{alive} links did not answer that their object is gone.", cancellationToken, swept, after);
            return;
        }

        await VerifyAsync(deletion, swept, after, cancellationToken);
        Log.Verified(logger, batch, swept.Deleted, after.Count);
    }

    /// <summary>Aborts uploads and deletes objects below a prefix until it is listed empty.</summary>
    public async Task<Swept> SweepAsync(string prefix, BatchId batch, string? attempt, CancellationToken cancellationToken)
    {
        // Uploads first: after that, a late completion can't make an object appear behind the listing.
        var aborted = await AbortRecordedAsync(batch, attempt, cancellationToken);
        await foreach (var upload in staging.ListUploadsAsync(prefix, cancellationToken))
        {
            await staging.AbortAsync(upload, cancellationToken);
            aborted++;
        }

        await KeepLeaseAsync(batch, cancellationToken);

        long deleted = 0;
        for (var listing = 1; ; listing++)
        {
            long found = 0;
            await foreach (var page in staging.ListAsync(prefix, cancellationToken).Chunk(1000))
            {
                await staging.DeleteAsync(page, cancellationToken);
                found += page.Length;
                await KeepLeaseAsync(batch, cancellationToken);
            }

            deleted += found;
            if (found == 0 || listing == ListingsAtMost)
                return new(deleted, found, aborted);
        }
    }

    private async Task<long> AbortRecordedAsync(BatchId batch, string? attempt, CancellationToken cancellationToken)
    {
        var recorded = await catalog.ListAsync<(string Key, string UploadId)>(
            """
            SELECT object_key, upload_id
              FROM multipart_uploads
             WHERE batch_id = @Id AND (@attempt::text IS NULL OR attempt = @attempt)
            """,
            new { Id = batch.Value, attempt },
            cancellationToken);
        long aborted = 0;
        foreach (var some in recorded.Chunk(1000))
        {
            // Most were completed long ago, but only the staging knows: one request each, several at a time.
            await Parallel.ForEachAsync(
                some,
                new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
                async (upload, token) =>
                {
                    if (await staging.AbortAsync(new(upload.Key, upload.UploadId), token))
                        Interlocked.Increment(ref aborted);
                });
            await catalog.ExecuteAsync(
                """
                DELETE FROM multipart_uploads u
                 USING unnest(@Keys, @UploadIds) AS gone (object_key, upload_id)
                 WHERE u.batch_id = @Id AND u.object_key = gone.object_key AND u.upload_id = gone.upload_id
                """,
                new
                {
                    Id = batch.Value,
                    Keys = some.Select(upload => upload.Key).ToArray(),
                    UploadIds = some.Select(upload => upload.UploadId).ToArray(),
                },
                cancellationToken);
            await KeepLeaseAsync(batch, cancellationToken);
        }

        return aborted;
    }

    // A large batch takes longer than a lease lasts. The sweep of an attempt has no lease: then no row is changed.
    private Task KeepLeaseAsync(BatchId batch, CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            "UPDATE batch_deletions SET lease_until = now() + @Lease WHERE batch_id = @Id AND lease_until IS NOT NULL",
            new { Id = batch.Value, Lease },
            cancellationToken);

    private Task<Deletion?> TakeAsync(CancellationToken cancellationToken) =>
        // The index is batch_deletions_due.
        catalog.QuerySingleOrDefaultAsync<Deletion>(
            """
            UPDATE batch_deletions d
               SET lease_until = now() + @Lease, tries = d.tries + 1
              FROM (SELECT batch_id
                      FROM batch_deletions
                     WHERE next_try_at <= now() AND (lease_until IS NULL OR lease_until < now())
                     ORDER BY next_try_at
                     LIMIT 1
                       FOR UPDATE SKIP LOCKED) due
             WHERE d.batch_id = due.batch_id
            RETURNING d.batch_id, d.probes::text AS probes, d.verified_at, d.tries,
                      EXISTS (SELECT FROM producer_batches u WHERE u.batch_id = d.batch_id) AS has_inbox
            """,
            new { Lease },
            cancellationToken);

    private Task VerifyAsync(Deletion deletion, Swept swept, IReadOnlyList<Probe> probes, CancellationToken cancellationToken) =>
        UpdateAsync(
            deletion,
            "verified_at = now(), pending_reason = NULL, next_try_at = now() + interval '1 minute'",
            swept, probes, null, cancellationToken);

    private Task PostponeAsync(
        Deletion deletion, string reason, CancellationToken cancellationToken, Swept? swept = null,
        IReadOnlyList<Probe>? probes = null) =>
        UpdateAsync(
            deletion,
            "pending_reason = @reason, next_try_at = now() + least(interval '1 minute', interval '1 second' * "
            + "power(2, least(tries, 6)) / 2)",
            swept, probes, reason, cancellationToken);

    // At growing intervals, until 24 hours have passed since the request; at once where the proof was asked for again meanwhile.
    private Task ScheduleSweepAsync(Deletion deletion, Swept swept, CancellationToken cancellationToken) =>
        UpdateAsync(
            deletion,
            """
            pending_reason = NULL,
            next_try_at = CASE
                WHEN verified_at IS NULL THEN now()
                WHEN now() >= requested_at + interval '24 hours' THEN NULL
                ELSE least(requested_at + interval '24 hours', now() + greatest(interval '1 minute', now() - requested_at))
            END
            """,
            swept, null, null, cancellationToken);

    private Task UpdateAsync(
        Deletion deletion, string assignments, Swept? swept, IReadOnlyList<Probe>? probes, string? reason,
        CancellationToken cancellationToken) =>
        catalog.ExecuteAsync(
            $"""
            UPDATE batch_deletions
               SET lease_until = NULL, deleted = deleted + @Deleted, uploads_aborted = uploads_aborted + @Aborted,
                   remaining = coalesce(@Remaining, remaining), probes = coalesce(@Probes::jsonb, probes),
                   {assignments}
             WHERE batch_id = @BatchId
            """,
            new
            {
                deletion.BatchId,
                Deleted = swept?.Deleted ?? 0,
                Aborted = swept?.Aborted ?? 0,
                swept?.Remaining,
                Probes = probes is null ? null : JsonSerializer.Serialize(probes, ClaimCheckJson.Options),
                reason,
            },
            cancellationToken);

    /// <summary>What a sweep found.</summary>
    internal sealed record Swept(long Deleted, long Remaining, long Aborted)
    {
        public Swept And(Swept more) => new(Deleted + more.Deleted, Remaining + more.Remaining, Aborted + more.Aborted);
    }

    // With an inbox, its producer has uploaded it, and may still have links to write.
    private sealed record Deletion(Guid BatchId, string Probes, DateTimeOffset? VerifiedAt, int Tries, bool HasInbox);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "The deletion of batch {BatchId} is verified: {Deleted} objects deleted, {Probed} links probed dead.")]
        public static partial void Verified(ILogger logger, BatchId batchId, long deleted, int probed);

        [LoggerMessage(LogLevel.Warning, "The deletion of batch {BatchId} is not verified yet: {Reason} It is tried again.")]
        public static partial void Unverified(ILogger logger, BatchId batchId, string reason);

        [LoggerMessage(
            LogLevel.Error, "The deletion of batch {BatchId} failed unexpectedly; it is tried again, and others continue.")]
        public static partial void Broken(ILogger logger, Exception exception, BatchId batchId);

        [LoggerMessage(LogLevel.Warning,
            "A later sweep of batch {BatchId} found {Deleted} objects and {Aborted} uploads, and removed them.")]
        public static partial void FoundLater(ILogger logger, BatchId batchId, long deleted, long aborted);
    }
}
