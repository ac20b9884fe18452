using ClaimCheck.Service.Revocation;

namespace ClaimCheck.Service.ProducerBatches;

/// <summary>Cancels batches that were not published in time, removes superseded copies of received files, and empties the landing
/// of batches that are ready: at once, and at growing intervals until a day after the last link to write has expired. The landing
/// of a batch that has ended is the eraser's.</summary>
internal sealed partial class LandingWorker(
    NpgsqlDataSource catalog, FileCopies copies, BatchRevoker revoker, BatchEraser eraser, ILogger<LandingWorker> logger)
    : BackgroundService
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(LandingWorker), token => PeriodicWork.RunAsync(LookAtNextAsync, LookAgain, logger, token), logger,
            stoppingToken);

    private async Task<bool> LookAtNextAsync(CancellationToken cancellationToken)
    {
        await using var connection = await catalog.OpenConnectionAsync(cancellationToken);
        // Its next look is also its lease: half a minute; the index is producer_batches_to_look_at.
        var due = await connection.QuerySingleOrDefaultAsync<Due>(
            """
            UPDATE producer_batches u
               SET next_look_at = now() + interval '30 seconds'
              FROM (SELECT batch_id FROM producer_batches
                     WHERE next_look_at <= now() ORDER BY next_look_at LIMIT 1 FOR UPDATE SKIP LOCKED) due
              JOIN exports e USING (batch_id)
             WHERE u.batch_id = due.batch_id
            RETURNING u.batch_id, e.tenant, e.state, u.open_until > now() AS is_in_time
            """,
            null,
            cancellationToken);
        if (due is null)
            return false;
        var batch = new BatchId(due.BatchId);
        try
        {
            if (due.State == ExportState.Open && due.IsInTime)
            {
                await copies.TryRemoveAsync(batch, cancellationToken);
            }
            else if (due.State == ExportState.Open)
            {
                Log.Unpublished(logger, batch);
                await revoker.RevokeAsync(
                    new Caller(Caller.Service, due.Tenant), batch, "It was not published in time.", cancellationToken);
            }

            await SetNextLookAsync(
                connection, due, due.State == ExportState.Ready && await SweepAsync(batch, cancellationToken), cancellationToken);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            Log.Broken(logger, Defect.Of(e), batch);
        }

        return true;
    }

    private async Task<bool> SweepAsync(BatchId batch, CancellationToken cancellationToken)
    {
        try
        {
            var swept = await eraser.SweepAsync(StagingKeys.Landing(batch), batch, MultipartUploads.Landing, cancellationToken);
            if (swept.Deleted > 0 || swept.Aborted > 0)
                Log.Swept(logger, batch, swept.Deleted, swept.Aborted);
            return swept.Remaining == 0;
        }
        catch (StagingException e)
        {
            Log.Postponed(logger, batch, e.Message);
            return false;
        }
    }

    private static Task SetNextLookAsync(
        NpgsqlConnection connection, Due due, bool isSwept, CancellationToken cancellationToken) =>
        connection.ExecuteAsync(
            """
            UPDATE producer_batches u
               SET next_look_at = CASE
                       WHEN e.state NOT IN ('open', 'pending', 'running', 'ready') THEN NULL
                       WHEN e.state = 'open' THEN open_until
                       WHEN NOT @isSwept THEN now() + interval '5 seconds'
                       WHEN now() >= coalesce((SELECT max(links_until) FROM producer_files f WHERE f.batch_id = u.batch_id),
                                              u.published_at) + interval '1 day' THEN NULL
                       ELSE now() + greatest(interval '1 minute', now() - u.published_at)
                   END
              FROM exports e
             WHERE u.batch_id = @BatchId AND e.batch_id = u.batch_id
            """,
            new { due.BatchId, isSwept },
            cancellationToken);

    private sealed record Due(Guid BatchId, string Tenant, string State, bool IsInTime);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Batch {BatchId} was not published in time, and is cancelled.")]
        public static partial void Unpublished(ILogger logger, BatchId batchId);

        [LoggerMessage(LogLevel.Information,
            "The landing of batch {BatchId} is empty: {Deleted} objects deleted, {Aborted} uploads aborted.")]
        public static partial void Swept(ILogger logger, BatchId batchId, long deleted, long aborted);

        [LoggerMessage(LogLevel.Warning, "The landing of batch {BatchId} could not be emptied: {Reason} It is tried again.")]
        public static partial void Postponed(ILogger logger, BatchId batchId, string reason);

        [LoggerMessage(
            LogLevel.Error, "The landing of batch {BatchId} could not be checked; it is tried again, and others continue.")]
        public static partial void Broken(ILogger logger, Exception exception, BatchId batchId);
    }
}
