namespace ClaimCheck.Service.Revocation;

/// <summary>Ends the batches whose retention is over, counted from ready by the database's clock.</summary>
internal sealed partial class Retention(NpgsqlDataSource catalog, ILogger<Retention> logger)
{
    private const int AtOnce = 1000;

    /// <returns>True where there may be more.</returns>
    public async Task<bool> ExpireAsync(CancellationToken cancellationToken)
    {
        // The index is exports_to_expire; SKIP LOCKED lets replicas work at the same time, and a revocation win.
        var expired = await catalog.ListAsync<Guid>(
            """
            WITH due AS (
                SELECT id FROM exports WHERE state = 'ready' AND expires_at <= now() ORDER BY expires_at LIMIT @AtOnce
                   FOR UPDATE SKIP LOCKED
            ), expired AS (
                UPDATE exports e SET state = 'expired', ended_at = now() FROM due WHERE e.id = due.id RETURNING e.batch_id
            )
            INSERT INTO batch_deletions (batch_id) SELECT batch_id FROM expired
            ON CONFLICT (batch_id) DO NOTHING RETURNING batch_id
            """,
            new { AtOnce },
            cancellationToken);
        foreach (var batch in expired)
            Log.Expired(logger, new BatchId(batch));
        return expired.Count == AtOnce;
    }

    /// <summary>Ends one whose retention is over, in the transaction that has locked it.</summary>
    public static Task ExpireAsync(Transaction transaction, Guid batchId, CancellationToken cancellationToken) =>
        transaction.ExecuteAsync(
            """
            WITH expired AS (
                UPDATE exports SET state = 'expired', ended_at = now()
                 WHERE batch_id = @batchId AND state = 'ready' RETURNING batch_id
            )
            INSERT INTO batch_deletions (batch_id) SELECT batch_id FROM expired ON CONFLICT (batch_id) DO NOTHING
            """,
            new { batchId },
            cancellationToken);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Batch {BatchId} is expired: its retention is over.")]
        public static partial void Expired(ILogger logger, BatchId batchId);
    }
}
