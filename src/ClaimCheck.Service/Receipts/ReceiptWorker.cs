using ClaimCheck.Service.Receipts.Ledger;

namespace ClaimCheck.Service.Receipts;

/// <summary>Time-driven work, one process at a time: batches that are overdue, rounds of retries whose batch ended without an
/// outcome, record keys of batches that have ended.</summary>
internal sealed partial class ReceiptWorker(
    NpgsqlDataSource catalog, ReceiptLedger accounts, ILogger<ReceiptWorker> logger) : BackgroundService
{
    private const int AtOnce = 100;
    private const int KeysAtOnce = 10_000;
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMinutes(1);
    private readonly Dictionary<Guid, long> postponed = [];

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        BackgroundLoop.RunAsync(
            nameof(ReceiptWorker), token => Exclusive.RunAsync(catalog, AdvisoryLocks.Receipts, TickAsync, logger, token), logger,
            stoppingToken);

    private async Task TickAsync(NpgsqlConnection connection, CancellationToken stoppingToken)
    {
        while (true)
        {
            var overdue = await FindOverdueAsync(connection, stoppingToken);
            foreach (var batch in overdue)
                await ByItselfAsync(batch, () => SettleAsync(new(batch), stoppingToken));
            var lost = await FindLostRoundsAsync(connection, stoppingToken);
            foreach (var (original, consumer, retry) in lost)
                await ByItselfAsync(retry, () => LoseAsync(new(original), consumer, retry, stoppingToken));
            var forgot = await ForgetKeysAsync(connection, stoppingToken);
            if (overdue.Count < AtOnce && lost.Count < AtOnce && !forgot)
                await Task.Delay(LookAgain, stoppingToken);
        }
    }

    // A failure of one batch postpones that batch, and does not delay the others.
    private async Task ByItselfAsync(Guid batch, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e) when (CatalogErrors.IsOfOneItem(e))
        {
            Log.Broken(logger, Defect.Of(e), new(batch), RetryDelay);
            postponed[batch] = TimeProvider.System.GetTimestamp();
        }
    }

    private Guid[] Resting()
    {
        foreach (var (batch, since) in postponed.ToList())
        {
            if (TimeProvider.System.GetElapsedTime(since) >= RetryDelay)
                postponed.Remove(batch);
        }

        return [.. postponed.Keys];
    }

    /// <summary>Two processes that arrive at once send one event: the delivery goal's row is locked, and its state checked
    /// again.</summary>
    internal async Task SettleAsync(BatchId batch, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        var isMissed = await DeliveryGoals.SettleAsync(transaction, batch, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        if (isMissed)
            Log.Overdue(logger, batch);
    }

    private async Task LoseAsync(BatchId original, string consumer, Guid retry, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        await ReceiptLedger.EnterAsync(transaction, original, consumer, cancellationToken);
        await accounts.LoseAsync(transaction, original, consumer, retry, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        Log.Lost(logger, consumer, original, new BatchId(retry));
    }

    // The index is delivery_goals_open. A revoked batch can't be overdue, and is not looked at again.
    private async Task<IReadOnlyList<Guid>> FindOverdueAsync(NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ListAsync<Guid>(
            """
            WITH due AS (
                SELECT d.batch_id, e.state = @Revoked AS is_revoked
                  FROM delivery_goals d
                  JOIN exports e ON e.batch_id = d.batch_id
                 WHERE d.state = 'pending' AND NOT d.closed AND d.due_at <= now() AND d.batch_id <> ALL (@Resting)
                 ORDER BY d.due_at
                 LIMIT @AtOnce
            ), closed AS (
                UPDATE delivery_goals d SET closed = true FROM due WHERE d.batch_id = due.batch_id AND due.is_revoked
            )
            SELECT batch_id FROM due WHERE NOT is_revoked
            """,
            new { AtOnce, ExportState.Revoked, Resting = Resting() },
            cancellationToken);

    private async Task<IReadOnlyList<(Guid Original, string Consumer, Guid Retry)>> FindLostRoundsAsync(
        NpgsqlConnection connection, CancellationToken cancellationToken) =>
        await connection.ListAsync<(Guid, string, Guid)>(
            """
            SELECT r.batch_id, r.consumer, r.round_batch
              FROM receipts r
              JOIN exports e ON e.batch_id = r.round_batch
             WHERE r.round_state = 'open' AND e.state IN ('failed', 'cancelled', 'revoked', 'expired')
               AND r.round_batch <> ALL (@Resting)
             LIMIT @AtOnce
            """,
            new { AtOnce, Resting = Resting() },
            cancellationToken);

    // A portion at a time; the counts stay.
    private async Task<bool> ForgetKeysAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var ended = await connection.ListAsync<(Guid BatchId, string Consumer, Guid Original)>(
            """
            SELECT r.batch_id, r.consumer, coalesce(e.retry_of, e.batch_id)
              FROM receipts r
              JOIN exports e ON e.batch_id = r.batch_id
             WHERE r.keeps_failures AND e.state IN ('failed', 'cancelled', 'revoked', 'expired')
             LIMIT @AtOnce
            """,
            new { AtOnce },
            cancellationToken);
        foreach (var (batchId, consumer, original) in ended)
        {
            var deleted = await connection.ExecuteAsync(
                """
                DELETE FROM record_failures
                 WHERE ctid = ANY (ARRAY (SELECT ctid FROM record_failures
                                           WHERE batch_id = @batchId AND consumer = @consumer LIMIT @KeysAtOnce))
                """,
                new { batchId, consumer, KeysAtOnce },
                cancellationToken);
            if (deleted < KeysAtOnce)
                await CloseAsync(batchId, consumer, new(original), cancellationToken);
        }

        return ended.Count > 0;
    }

    // What arrived at the last moment, while the batch was ready, is committed and visible once the ledger's lock is held.
    private async Task CloseAsync(Guid batchId, string consumer, BatchId original, CancellationToken cancellationToken)
    {
        await using var transaction = await Transaction.BeginAsync(catalog, cancellationToken);
        await ReceiptLedger.EnterAsync(transaction, original, consumer, cancellationToken);
        await transaction.ExecuteAsync(
            """
            UPDATE receipts
               SET keeps_failures = false
             WHERE batch_id = @batchId AND consumer = @consumer
               AND NOT EXISTS (SELECT FROM record_failures WHERE batch_id = @batchId AND consumer = @consumer)
            """,
            new { batchId, consumer },
            cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error,
            "Time-driven work for batch {BatchId} failed; it is tried again in {RetryDelay}, and other batches continue.")]
        public static partial void Broken(ILogger logger, Exception exception, BatchId batchId, TimeSpan retryDelay);

        [LoggerMessage(LogLevel.Warning,
            "Batch {BatchId} is overdue: not every consumer has applied it as its dataset's definition of success says.")]
        public static partial void Overdue(ILogger logger, BatchId batchId);

        [LoggerMessage(LogLevel.Information,
            "A round of retries of {Consumer} for batch {BatchId} is lost: {Retry} has ended without an outcome.")]
        public static partial void Lost(ILogger logger, string consumer, BatchId batchId, BatchId retry);
    }
}
