namespace ClaimCheck.Service.Revocation;

/// <summary>Removes what a worker that died, or lost its lease, has staged: the prefix of its attempt, to which no link
/// leads.</summary>
internal sealed partial class AttemptCleanup(BatchEraser eraser, NpgsqlDataSource catalog, ILogger<AttemptCleanup> logger)
{
    /// <summary>Sweeps one abandoned attempt that is due.</summary>
    /// <returns>False when none is due.</returns>
    public async Task<bool> SweepNextAsync(CancellationToken cancellationToken)
    {
        // Its next sweep is also its lease; the index is attempts_to_sweep. The attempt that was committed is never swept.
        var due = await catalog.QuerySingleOrDefaultAsync<(Guid BatchId, string Attempt)?>(
            """
            UPDATE attempts a
               SET next_sweep_at = now() + interval '30 seconds'
              FROM (SELECT a.batch_id, a.attempt
                      FROM attempts a
                      JOIN exports e ON e.batch_id = a.batch_id
                     WHERE a.next_sweep_at <= now() AND a.abandoned_at IS NOT NULL
                       AND (e.attempt IS DISTINCT FROM a.attempt OR e.state <> 'ready')
                     ORDER BY a.next_sweep_at
                     LIMIT 1
                       FOR UPDATE OF a SKIP LOCKED) due
             WHERE a.batch_id = due.batch_id AND a.attempt = due.attempt
            RETURNING a.batch_id, a.attempt
            """,
            null,
            cancellationToken);
        if (due is not var (batchId, attempt) || attempt is null)
            return false;

        var batch = new BatchId(batchId);
        try
        {
            var swept = await eraser.SweepAsync(StagingKeys.Attempt(batch, attempt), batch, attempt, cancellationToken);
            if (swept.Deleted > 0 || swept.Aborted > 0)
                Log.Swept(logger, attempt, batch, swept.Deleted, swept.Aborted);
            // Again at growing intervals for a day: a worker that was only paused may have an upload open that it never recorded.
            await catalog.ExecuteAsync(
                """
                UPDATE attempts
                   SET next_sweep_at = CASE
                           WHEN now() >= abandoned_at + interval '24 hours' THEN NULL
                           ELSE least(abandoned_at + interval '24 hours',
                                      now() + greatest(interval '1 minute', now() - abandoned_at))
                       END
                 WHERE batch_id = @batchId AND attempt = @attempt
                """,
                new { batchId, attempt },
                cancellationToken);
        }
        catch (StagingException e)
        {
            Log.Postponed(logger, attempt, batch, e.Message);
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            Log.Broken(logger, Defect.Of(e), attempt, batch);
        }

        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information,
            "The abandoned attempt {Attempt} of batch {BatchId} is swept: {Deleted} objects deleted, {Aborted} uploads aborted.")]
        public static partial void Swept(ILogger logger, string attempt, BatchId batchId, long deleted, long aborted);

        [LoggerMessage(LogLevel.Error,
            "The abandoned attempt {Attempt} of batch {BatchId} can't be swept; it is tried again, and others continue.")]
        public static partial void Broken(ILogger logger, Exception exception, string attempt, BatchId batchId);

        [LoggerMessage(LogLevel.Warning,
            "The abandoned attempt {Attempt} of batch {BatchId} could not be swept: {Reason} It is tried again.")]
        public static partial void Postponed(ILogger logger, string attempt, BatchId batchId, string reason);
    }
}
